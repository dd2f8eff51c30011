// One stream: its picture, its recording, where encoders publish to, what they send, its videos.

import {get, remove, stream_path} from "./api.js";
import {attempt, confirm_with, el, named, set_text} from "./dom.js";
import {date} from "./format.js";
import {session_history} from "./history.js";
import {key_of, live, throttled, watch} from "./live.js";
import {live_player} from "./preview.js";
import {record_control} from "./record_control.js";
import {source_table} from "./source_table.js";
import {auto_record_switch, encoder_fields, live_badge, media_words} from "./streams.js";
import {video_list} from "./videos.js";

export function stream_page(root, app, name) {
  const badge = live_badge(), words = el("span", {class: "quiet"});
  const picture = el("div", {class: "picture"});
  const side = el("div", {class: "stack"});
  const source = el("section", {class: "card"}), session = el("p", {class: "quiet"});
  const videos = el("section", {class: "card"}, el("h2", {}, "Recordings"));
  const sessions = el("div");
  const last = el("p", {hidden: true},
    el("button", {type: "button", class: "danger", onclick: delete_stream}, "Delete stream"));
  root.append(el("p", {class: "crumbs"}, el("a", {href: "#/streams"}, "Streams")),
    el("div", {class: "row"}, el("h1", {}, named(name)), badge, words),
    el("div", {class: "beside"}, picture, side), source, videos, sessions, last);
  document.title = `${name} – Recording`;
  const key = key_of({app, name});
  let stream = null, control = null, list = null, past = null, playing = undefined, shown_session = "";

  function build() {
    control = record_control(stream, true);
    side.append(el("section", {class: "card"}, el("h2", {}, "Recording"), control.node,
        auto_record_switch(stream)),
      el("section", {class: "card"}, el("h2", {}, "Encoder"), ...encoder_fields(stream), session));
    last.hidden = false;
  }

  // A new stream is live before it has a number.
  function build_lists() {
    list = video_list({query: `&stream_id=${stream.id}`, empty: "No recordings yet."});
    past = session_history(stream);
    videos.append(list.node);
    sessions.append(past.node);
    list.refresh();
    past.refresh();
  }

  // The picture stays as long as its address does.
  function draw_picture() {
    if (playing === stream.iframe_url) return;
    playing = stream.iframe_url;
    picture.replaceChildren(playing === null
      ? el("p", {class: "player empty"}, stream.live ? "No live playback: this application has no transcoder."
        : "Not live. The picture is here when an encoder publishes.")
      : live_player(stream));
  }

  function draw() {
    const now = live.streams.get(key);
    badge.hidden = !now?.live;
    set_text(words, now?.live ? media_words(now) : "");
    if (stream === null) return;
    draw_picture();
    const {started_at_primary: began, finished_at_primary: ended} = stream;
    set_text(session, stream.live ? `Connected since ${date(began)}.`
      : ended ? `Last session: ${date(began)} to ${date(ended)}.` : "No session yet.");
    const text = JSON.stringify(stream.session);
    if (text === shown_session) return;
    shown_session = text;
    source.replaceChildren(el("h2", {}, "Source"), ...source_table(stream.session));
  }

  const refresh = throttled(async () => {
    try {
      stream = await get(stream_path(stream ?? {app, name}));
    } catch (error) {
      if (error.status === 404 && stream === null) {
        side.replaceChildren(el("p", {}, error.message));
      }
      throw error;
    }
    if (control === null) {
      side.replaceChildren();
      build();
    }
    if (list === null && stream.id !== null) build_lists();
    draw();
  });

  async function delete_stream() {
    const sure = await confirm_with("Delete this stream?",
      `The settings of ${name} are deleted. Its videos stay.`, "Delete");
    if (sure && await attempt(async () => (await remove(stream_path(stream)), true))) location.hash = "#/streams";
  }

  const end_watch = watch((kind, data) => {
    if (kind === "connection" || kind === "catalog_known") return;
    if (kind === "stream" && key_of(data) !== key) return;
    if (kind !== "space") refresh();
    if (kind === "catalog" || kind === "state") {
      list?.refresh();
      past?.refresh();
    }
    draw();
  });
  refresh();
  return () => {
    end_watch();
    refresh.end();
    control?.end();
    list?.end();
    past?.end();
  };
}
