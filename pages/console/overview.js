// What goes on, on one page.

import {get, put, stream_path} from "./api.js";
import {attempt, el, named, set_text} from "./dom.js";
import {bit_rate, bytes, time_left} from "./format.js";
import {key_of, live, throttled, watch} from "./live.js";
import {recording_words} from "./record_control.js";
import {link_to_stream} from "./streams.js";
import {video_list} from "./videos.js";
import {webhook_state} from "./webhooks.js";

function disk_words(space) {
  if (space === null || space.free_bytes === null) return ["Not measured yet", ""];
  const above = Math.max(0, space.free_bytes - space.min_free_bytes);
  const left = space.left_seconds === null ? "Nothing is being written."
    : `Enough for ${time_left(space.left_seconds)} at ${bit_rate(space.bytes_per_second * 8)}.`;
  return [`${bytes(above)} left`, `${left} ${bytes(space.min_free_bytes)} are kept free (min_free).`];
}

export function overview_page(root) {
  const disk = el("p", {class: "figure"}), disk_more = el("p", {class: "quiet"});
  const disk_card = el("section", {class: "card"}, el("h2", {}, "Disk"), disk, disk_more);
  const count = el("p", {class: "figure"}), count_more = el("p", {class: "quiet"});
  const webhooks = webhook_state();
  const recordings = el("ul", {class: "plain list"});
  const jobs = el("ul", {class: "plain list"});
  const work = el("p", {class: "quiet", "data-work": ""});
  const newest = video_list({limit: 5, empty: "No videos yet."});
  root.append(
    el("h1", {}, "Overview"),
    el("div", {class: "cards"}, disk_card,
      el("section", {class: "card"}, el("h2", {}, "Streams"), count, count_more),
      webhooks.card),
    webhooks.failures,
    el("section", {class: "card"}, el("h2", {}, "Active recordings"), recordings),
    el("section", {class: "card"}, el("h2", {}, "Processing"), work, jobs),
    el("section", {class: "card"}, el("h2", {}, "Newest videos"), newest.node));
  const rows = new Map();

  function draw_space() {
    const [large, small] = disk_words(live.space);
    set_text(disk, large);
    set_text(disk_more, small);
    disk_card.classList.toggle("warning", Boolean(live.space?.low));
  }

  function row_of(stream) {
    const words = el("span", {class: "timer"});
    const stop = el("button", {type: "button", "aria-label": `Stop record: ${stream.name}`,
      onclick: () => attempt(() => put(`${stream_path(stream)}/stop_recording`))}, "Stop record");
    return {words, node: el("li", {class: "row"}, link_to_stream(stream), words, stop)};
  }

  function draw_streams() {
    const all = [...live.streams.values()];
    const recorded = all.filter(stream => stream.recording !== null);
    set_text(count, `${all.filter(stream => stream.live).length} live`);
    set_text(count_more, `${recorded.length} being recorded.`);
    const keys = new Set(recorded.map(key_of));
    for (const key of [...rows.keys()].filter(key => !keys.has(key))) rows.delete(key);
    for (const stream of recorded) {
      if (!rows.has(key_of(stream))) rows.set(key_of(stream), row_of(stream));
    }
    const nodes = [...rows.values()].map(row => row.node);
    if (nodes.length === 0) nodes.push(el("li", {class: "quiet"}, "Nothing is being recorded."));
    if (nodes.length !== recordings.children.length || nodes.some((node, i) => node !== recordings.children[i])) {
      recordings.replaceChildren(...nodes);
    }
    tick();
  }

  function tick() {
    for (const [key, row] of rows) set_text(row.words, recording_words(live.streams.get(key)));
  }

  const draw_jobs = throttled(async () => {
    const videos = await get("videos?status=viewable&per_page=100&fields=id,name,converted_videos");
    const running = videos.flatMap(video => video.converted_videos
      .filter(one => one.status !== "complete").map(one => ({video, one})));
    const {waiting_jobs = 0, running_jobs = 0, failed_jobs = 0} = live.catalog ?? {};
    set_text(work, `${running_jobs} in work, ${waiting_jobs} waiting` +
      (failed_jobs > 0 ? `, ${failed_jobs} given up` : ""));
    jobs.replaceChildren(...running.map(({video, one}) => el("li", {class: "row"},
      el("a", {href: `#/videos/${video.id}`}, named(video.name)),
      el("span", {}, one.name),
      one.status === "error" ? el("span", {class: "bad"}, one.error ?? "failed")
        : el("progress", {max: "100", value: String(one.progress ?? 0), "aria-label": `${one.name} of ${video.name}`}))));
  });

  const end_watch = watch(kind => {
    if (kind === "space" || kind === "state") draw_space();
    if (kind === "stream" || kind === "state") draw_streams();
    if (kind.startsWith("catalog") || kind === "state") webhooks.draw();
    if (kind === "catalog" || kind === "state") {
      draw_jobs();
      newest.refresh();
    }
  });
  draw_space();
  draw_streams();
  webhooks.draw();
  draw_jobs();
  newest.refresh();
  const timing = setInterval(tick, 250);
  return () => {
    clearInterval(timing);
    end_watch();
    draw_jobs.end();
    newest.end();
    webhooks.end();
  };
}
