// Links for the export, the qualities with their progress, and a clip.

import {el, copy_field, set_text} from "./dom.js";
import {local} from "./api.js";
import {bytes, exact} from "./format.js";

// A download of the file that `link` plays; what a link has as arguments stays.
function download_link(link, name = "", part = {}) {
  const url = new URL(link, location.href);
  url.pathname += name ? `/download=${name}` : "/download";
  for (const [key, value] of Object.entries(part)) url.searchParams.set(key, value);
  return url.href;
}

const STATES = {processing: "Being made", complete: "Complete", error: "Failed"};

function quality_row(name, facts, link, state = null) {
  return el("li", {}, el("div", {class: "row"}, el("strong", {}, name), el("span", {class: "quiet"}, facts), state),
    link ? copy_field(`Download ${name}`, download_link(link),
      el("a", {class: "button", download: true, href: local(download_link(link))}, "Download")) : null);
}

function rendition_row(one) {
  const facts = [one.width ? `${one.width}×${one.height}` : "", one.size ? bytes(one.size) : ""].filter(Boolean).join(" · ");
  const state = one.status === "processing"
    ? el("span", {class: "row"}, el("progress", {max: "100", value: String(one.progress ?? 0), "aria-label": `Progress of ${one.name}`}),
        `${Math.round(one.progress ?? 0)} %`)
    : el("span", {class: one.status === "error" ? "bad" : "quiet"}, STATES[one.status] ?? one.status,
        one.error ? `: ${one.error}` : "");
  return quality_row(one.name, facts, one.mp4_url, state);
}

export function export_links(video) {
  if (!video.origin_url) return [el("p", {class: "quiet"}, "There is nothing to export.")];
  const facts = [video.origin_width ? `${video.origin_width}×${video.origin_height}` : "", bytes(video.origin_size)];
  return [el("ul", {class: "plain list"},
      quality_row("Source", facts.filter(Boolean).join(" · "), video.origin_url),
      ...video.converted_videos.map(rendition_row)),
    video.hls_url ? copy_field("HLS", video.hls_url) : null,
    video.iframe_url ? copy_field("Player page", video.iframe_url) : null,
    video.iframe_embed_code ? copy_field("iframe code", video.iframe_embed_code) : null,
  ].filter(Boolean);
}

// Choosing a part: {node, draw, choose(from, to), update(video, duration)}; draw() tells `selected` of it.
export function clip_form(selected) {
  const field = (id, label) => {
    const input = el("input", {id, type: "number", min: "0", step: "0.1", value: "0", inputmode: "decimal", oninput: () => draw()});
    return {input, node: el("span", {class: "field"}, el("label", {for: id}, label), input)};
  };
  const from = field("clip-from", "From (s)"), to = field("clip-to", "To (s)");
  const words = el("span", {class: "quiet", role: "status"});
  const link = el("a", {class: "button main", download: true}, "Download clip");
  const copy = el("div");
  const node = el("div", {class: "clip"}, el("div", {class: "row"}, from.node, to.node, link), words, copy);
  let source = null, name = "clip", copied = "", whole = 0;

  // The fields have tenths: the last one holds what is left.
  const longest = () => Math.ceil(whole * 10) / 10;

  function draw() {
    const start = Number(from.input.value), end = Number(to.input.value);
    const good = source !== null && end > start;
    if (good) link.href = local(download_link(source, name, {from: start, to: end}));
    else link.removeAttribute("href");
    link.setAttribute("aria-disabled", String(!good));
    set_text(words, good ? `${Number((end - start).toFixed(1))} s long; begins at the key frame at or before ${exact(start * 1000)}.`
      : "Choose where it begins and ends.");
    const text = good ? download_link(source, name, {from: start, to: end}) : "";
    if (text !== copied) copy.replaceChildren(...(text ? [copy_field("Link to the clip", text)] : []));
    copied = text;
    selected(start, end);
  }

  return {node, draw,
    choose(start, end) {
      from.input.value = start.toFixed(1);
      to.input.value = (end >= whole ? longest() : end).toFixed(1);
      draw();
    },
    update(video, duration) {
      source = video.origin_url;
      name = `clip-${video.id}`;
      whole = duration;
      from.input.max = to.input.max = String(longest());
      draw();
    }};
}
