// Lists of videos.

import {get, local} from "./api.js";
import {attempt, el, named, set_text} from "./dom.js";
import {bytes, clock, date} from "./format.js";
import {throttled, watch} from "./live.js";

const PER_PAGE = 25;

export function status_words(video) {
  if (video.status === "error") {
    return video.error === "too_short" ? "Too short, not kept" : (video.error ?? "Error").replaceAll("_", " ");
  }
  return {empty: "Empty", pending: "Being recorded", viewable: "Viewable", ready: "Ready"}[video.status];
}

function facts(video) {
  const words = [];
  if (video.duration > 0) words.push(clock(video.duration / 1000));
  if (video.origin_size > 0) words.push(bytes(video.origin_size));
  if (video.origin_width) words.push(`${video.origin_width}×${video.origin_height}`);
  if (video.recording_started_at) words.push(date(video.recording_started_at));
  return words.join(" · ");
}

const row_of = video => el("li", {class: "row"},
  video.screenshot ? el("img", {class: "thumb", src: local(video.screenshot), alt: "", loading: "lazy"}) : null,
  el("div", {class: "what"}, el("a", {class: "name", href: `#/videos/${video.id}`}, named(video.name)),
    el("span", {class: "quiet"}, facts(video))),
  el("span", {class: `status ${video.status}`}, status_words(video)));

// {node, refresh, end}. `query`: further parameters of GET /videos.
export function video_list({query = "", limit = PER_PAGE, empty}) {
  const list = el("ul", {class: "plain list"});
  const more = el("button", {type: "button", hidden: true, onclick: () => {
    pages += 1;
    attempt(load);
  }}, "More");
  const node = el("div", {}, list, more);
  let pages = 1;
  let shown = "";
  let parameters = query;

  async function load() {
    const videos = [];
    let full = true;
    for (let page = 1; page <= pages && full; ++page) {
      const part = await get(`videos?per_page=${limit}&page=${page}${parameters}`);
      full = part.length === limit;
      videos.push(...part);
    }
    more.hidden = !full || limit < PER_PAGE;
    const text = JSON.stringify(videos);
    if (text === shown) return;  // whoever is in the list with the keyboard stays there
    shown = text;
    list.replaceChildren(...videos.map(row_of));
    if (videos.length === 0) list.replaceChildren(el("li", {class: "quiet"}, empty));
  }
  const refresh = throttled(load);
  return {node, refresh, end: refresh.end, ask(changed) {
    parameters = changed;
    pages = 1;
    refresh();
  }};
}

export function videos_page(root) {
  const list = video_list({empty: "No video fits."});
  const text = el("input", {type: "search", placeholder: "Part of the name", "aria-label": "Search by name", oninput: ask});
  const status = el("select", {"aria-label": "Filter by status", onchange: ask},
    ...[["", "All"], ["ready", "Ready"], ["viewable", "Viewable"], ["pending", "Being recorded"], ["error", "Error"]]
      .map(([value, label]) => el("option", {value}, label)));
  function ask() {
    list.ask((text.value ? `&search=${encodeURIComponent(text.value)}` : "") +
             (status.value ? `&status=${status.value}` : ""));
  }
  root.append(el("h1", {}, "Videos"), el("div", {class: "row filter", role: "search"}, text, status),
    el("section", {class: "card"}, list.node));
  const end_watch = watch(kind => {
    if (kind === "catalog" || kind === "state") list.refresh();
  });
  list.refresh();
  return () => {
    end_watch();
    list.end();
  };
}
