// The sessions of a stream, newest first.

import {get, stream_path} from "./api.js";
import {el, set_text} from "./dom.js";
import {bytes, clock, date, frame_rate} from "./format.js";
import {throttled} from "./live.js";

const SHOWN = 10;
const KEPT = 100;
const REASONS = {
  unpublished: "The encoder said goodbye", connection: "The connection was lost",
  replaced: "Another publisher took over", drained: "Asked to reconnect after a reload",
  silent: "Nothing came any more", worker_ended: "The server ended",
};

function when(session) {
  const began = session.started_at ? date(session.started_at) : "Not known";
  if (!session.ended_at || !session.started_at) return [began];
  const seconds = (new Date(session.ended_at) - new Date(session.started_at)) / 1000;
  return [began, el("span", {class: "quiet"}, ` ${clock(seconds)} long`)];
}

function source(session) {
  const picture = [session.video_codec, session.width ? `${session.width}×${session.height}` : null,
                   session.frame_rate ? frame_rate(session.frame_rate) : null];
  const sound = [session.audio_codec, session.sample_rate ? `${session.sample_rate} Hz` : null];
  const words = [picture, sound].map(part => part.filter(Boolean).join(" ")).filter(Boolean);
  if (session.bytes > 0) words.push(bytes(session.bytes));
  return words.join(" · ") || "–";
}

function end_words(session) {
  const words = [session.live ? "Live" : session.end_reason === null ? "Not known"
    : REASONS[session.end_reason] ?? session.end_reason.replaceAll("_", " ")];
  const restarts = session.transcoder_restarts;
  if (restarts > 0) words.push(`transcoder restarted ${restarts === 1 ? "once" : `${restarts} times`}`);
  return words.join(", ");
}

const row_of = session => el("tr", {}, el("th", {scope: "row"}, ...when(session)),
  el("td", {}, source(session)), el("td", {}, end_words(session)));

// {node, refresh, end}
export function session_history(stream) {
  const body = el("tbody");
  const nothing = el("p", {class: "quiet"}, "No session yet.");
  const table = el("table", {class: "history", hidden: true}, el("thead", {}, el("tr", {},
    ...["Began", "Source", "End"].map(label => el("th", {scope: "col"}, label)))), body);
  const more = el("button", {type: "button", hidden: true, onclick: () => {
    all = true;
    draw();
  }});
  const node = el("section", {class: "card"}, el("h2", {}, "Sessions"), table, nothing, more);
  let sessions = [], all = false, shown = "";

  function draw() {
    const rows = all ? sessions : sessions.slice(0, SHOWN);
    table.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0;
    more.hidden = rows.length === sessions.length;
    set_text(more, `All ${sessions.length}`);
    const text = JSON.stringify(rows);
    if (text !== shown) body.replaceChildren(...rows.map(row_of));
    shown = text;
  }

  const refresh = throttled(async () => {
    sessions = await get(`${stream_path(stream)}/sessions?per_page=${KEPT}`);
    draw();
  });
  return {node, refresh, end: refresh.end};
}
