// What live playback was built from beside what comes in now, and what to do where they differ.

import {el} from "./dom.js";
import {bit_rate, frame_rate} from "./format.js";

const FIELDS = [
  ["video_codec", "Video codec"], ["width", "Width"], ["height", "Height"], ["pix_fmt", "Pixel format"],
  ["color_range", "Color range"], ["frame_rate", "Frame rate", frame_rate],
  ["video_bit_rate", "Video bit rate", bit_rate], ["audio_codec", "Audio codec"],
  ["sample_rate", "Sample rate", rate => `${rate} Hz`], ["channels", "Channels"],
  ["audio_bit_rate", "Audio bit rate", bit_rate],
];

const shown = (value, write = String) => value === null || value === undefined ? "–" : write(value);

function table(session) {
  const drifting = new Set(session.drift.map(drift => drift.field));
  const rows = FIELDS.map(([field, label, write]) => el("tr", {class: drifting.has(field) ? "drift" : null},
    el("th", {scope: "row"}, label), el("td", {}, shown(session.frozen?.[field], write)),
    el("td", {}, shown(session.measured?.[field], write),
      drifting.has(field) ? el("strong", {}, " differs") : null)));
  return el("table", {}, el("caption", {}, "What the encoder sends"),
    el("thead", {}, el("tr", {}, el("th", {scope: "col"}, ""), el("th", {scope: "col"}, "Frozen at connect"),
      el("th", {scope: "col"}, "Measured now"))), el("tbody", {}, ...rows));
}

function transcoder_words({state, restarts, speed, error}) {
  return [`Live playback: ${state}`, speed === null ? "" : `, ${speed.toFixed(2)} × real time`,
          restarts > 0 ? `, restarted ${restarts} times` : "", error === null ? "" : `. ${error}`].join("");
}

export function source_table(session) {
  if (session === null) return [el("p", {class: "quiet"}, "Nobody publishes now.")];
  if (session.frozen === null && session.measured === null) {
    return [el("p", {class: "quiet"}, session.transcoder ? transcoder_words(session.transcoder)
      : "Without live playback (transcoder on) nothing is measured.")];
  }
  return [
    ...session.drift.map(drift => el("p", {class: "note warning"}, drift.advice)),
    table(session),
    session.transcoder ? el("p", {class: "quiet"}, transcoder_words(session.transcoder)) : null,
  ].filter(Boolean);
}
