// One video: player, timeline, qualities, links, a clip.

import {get, local, remove} from "./api.js";
import {attempt, confirm_with, el, named, set_text} from "./dom.js";
import {bytes, clock, date} from "./format.js";
import {clip_form, export_links} from "./exports.js";
import {throttled, watch} from "./live.js";
import {timeline_strip} from "./strip.js";
import {status_words} from "./videos.js";

const GROWING_MS = 3000;

// {node, element()}: the player page, whose <video> can be reached when it comes from this server;
// without one the browser's own player of the file.
function player_of(video) {
  if (video.iframe_url === null) {
    const own = el("video", {class: "player", controls: true, preload: "metadata", src: local(video.origin_url),
                             "aria-label": "Player"});
    return {node: own, element: () => own};
  }
  const frame = el("iframe", {class: "player page", src: local(video.iframe_url), title: "Player", allow: "autoplay; fullscreen"});
  return {node: frame, element() {
    try {
      return frame.contentDocument?.querySelector("video") ?? null;
    } catch {
      return null;
    }
  }};
}

export function video_page(root, id) {
  const title = el("h1"), words = el("span", {class: "quiet"}), status = el("span", {class: "status"});
  const picture = el("div", {class: "picture"});
  const links = el("section", {class: "card"});
  const strip = timeline_strip({
    seek(seconds) {
      const element = player?.element();
      if (element) element.currentTime = seconds;
    },
    chosen: (from, to) => clip.choose(from, to),
  });
  const clip = clip_form((from, to) => strip.select(from, to));
  const side = el("div", {class: "stack"}, links);
  const timeline_card = el("section", {class: "card", hidden: true}, el("h2", {}, "Timeline"), strip.node,
    el("h3", {}, "Clip"), clip.node);
  const stream_link = el("a", {hidden: true}, "Its stream");
  root.append(el("p", {class: "crumbs"}, el("a", {href: "#/videos"}, "Videos"), stream_link),
    el("div", {class: "row"}, title, status, words),
    el("div", {class: "beside"}, picture, side), timeline_card,
    el("p", {}, el("button", {type: "button", class: "danger", onclick: delete_video}, "Delete video")));
  let video = null, player = null, shown = "", drawn_timeline = "", ended = false;

  function draw() {
    title.replaceChildren(named(video.name));
    document.title = `${video.name} – Recording`;
    status.className = `status ${video.status}`;
    set_text(status, status_words(video));
    set_text(words, [video.duration > 0 ? clock(video.duration / 1000) : "", video.origin_size > 0 ? bytes(video.origin_size) : "",
                     video.recording_started_at ? date(video.recording_started_at) : ""].filter(Boolean).join(" · "));
    if (player === null && video.origin_url) {
      player = player_of(video);
      picture.replaceChildren(player.node);
    } else if (player === null) {
      picture.replaceChildren(el("p", {class: "player empty"}, video.status === "pending" ? "Nothing is saved yet." : "There is no file."));
    }
    clip.update(video, video.duration / 1000);
    // Signatures and ends of links are new with every answer.
    const text = JSON.stringify([video.status, video.origin_size, video.converted_videos.map(one => ({...one, mp4_url: null})),
                                 video.hls_url !== null, video.iframe_url !== null]);
    if (text !== shown && !links.contains(document.activeElement)) {
      shown = text;
      links.replaceChildren(el("h2", {}, "Links for the export"), ...export_links(video));
    }
  }

  async function draw_timeline() {
    const timeline = await get(`videos/${id}/timeline`).catch(() => null);
    timeline_card.hidden = timeline === null;
    const text = JSON.stringify([timeline, video.duration]);
    if (timeline === null || text === drawn_timeline || strip.node.contains(document.activeElement)) return;
    drawn_timeline = text;
    strip.draw(timeline, Math.max(video.duration, timeline.epochs.at(-1)?.end_ms ?? 0));
    clip.draw();
  }

  async function draw_stream_link() {
    const stream = await get(`streams/${video.stream_id}`).catch(() => null);
    if (stream === null) return;
    stream_link.href = `#/streams/${encodeURIComponent(stream.app)}/${encodeURIComponent(stream.name)}`;
    stream_link.hidden = false;
  }

  const refresh = throttled(async () => {
    const first = video === null;
    try {
      video = await get(`videos/${id}`);
    } catch (error) {
      if (error.status === 404) {
        ended = true;
        root.replaceChildren(el("h1", {}, "Not found"), el("p", {}, "There is no such video (any more)."));
      } else if (first) {
        set_text(title, error.message);
      }
      return;
    }
    draw();
    if (first && video.stream_id !== null) draw_stream_link();
    await draw_timeline();
  });

  async function delete_video() {
    const sure = await confirm_with("Delete this video?", `${video?.name ?? "It"} and its files are deleted for good.`, "Delete");
    if (sure && await attempt(async () => (await remove(`videos/${id}`), true))) location.hash = "#/videos";
  }

  const end_watch = watch(kind => {
    if (!ended && (kind === "catalog" || kind === "state")) refresh();
  });
  const growing = setInterval(() => {
    if (!ended && video?.status === "pending") refresh();
  }, GROWING_MS);
  const following = setInterval(() => {
    const element = player?.element();
    if (element) strip.playhead(element.currentTime);
  }, 250);
  refresh();
  return () => {
    end_watch();
    refresh.end();
    clearInterval(growing);
    clearInterval(following);
  };
}
