// All streams: what is live, what is recorded, and a new one.

import {get_all, patch, post, stream_path} from "./api.js";
import {attempt, copy_field, el, named, open_dialog, set_text} from "./dom.js";
import {bit_rate, frame_rate} from "./format.js";
import {key_of, live, throttled, watch} from "./live.js";
import {preview} from "./preview.js";
import {record_control} from "./record_control.js";

export const stream_address = stream =>
  `#/streams/${encodeURIComponent(stream.app)}/${encodeURIComponent(stream.name)}`;

export const link_to_stream = stream =>
  el("a", {class: "name", href: stream_address(stream)}, named(stream.name),
    el("span", {class: "quiet"}, " ", named(stream.app)));

// Where an encoder publishes to, in the two fields that encoders have.
export function encoder_fields(stream) {
  if (stream.push_url === null) return [el("p", {class: "quiet"}, "The server has no RTMP address.")];
  return [copy_field("Server URL", stream.push_url.slice(0, stream.push_url.lastIndexOf("/"))),
          copy_field("Stream key", stream.name)];
}

// The switch; `changed` gets the stream as it is then.
export function auto_record_switch(stream, changed = () => {}) {
  const box = el("input", {type: "checkbox", role: "switch", checked: stream.auto_record,
    "aria-label": `Auto-record: ${stream.name}`, onchange: async () => {
      const now = await attempt(() => patch(stream_path(stream), {auto_record: box.checked}));
      if (now === null) box.checked = !box.checked;
      else changed(now);
    }});
  return el("label", {class: "switch"}, box, "Auto-record");
}

export const live_badge = () => el("span", {class: "badge", hidden: true}, "Live");

export function media_words(stream) {
  const words = [];
  if (stream.width) words.push(`${stream.width}×${stream.height}`);
  if (stream.frame_rate) words.push(frame_rate(stream.frame_rate));
  if (stream.bit_rate) words.push(bit_rate(stream.bit_rate));
  return words.join(" · ");
}

function row_of(stream) {
  const badge = live_badge(), words = el("span", {class: "quiet"});
  const control = record_control(stream), picture = preview(stream);
  const node = el("li", {class: "card stream"}, picture.node,
    el("div", {class: "what"}, el("div", {class: "row"}, link_to_stream(stream), badge), words),
    auto_record_switch(stream), control.node);
  return {node, stream, iframe_url: stream.iframe_url, auto_record: stream.auto_record, look: picture.look,
    end() {
      control.end();
      picture.end();
    },
    draw() {
      const now = live.streams.get(key_of(stream));
      badge.hidden = !now?.live;
      set_text(words, now?.live ? media_words(now) : "Not live");
    }};
}

function create_stream(done) {
  const name = el("input", {id: "new-name", type: "text", required: true, maxLength: 255, autocomplete: "off"});
  const app = el("input", {id: "new-app", type: "text", autocomplete: "off", placeholder: "the only one"});
  const auto = el("input", {type: "checkbox", role: "switch"});
  const said = el("p", {class: "bad", role: "alert"});
  const form = el("form", {method: "dialog", onsubmit: async event => {
    event.preventDefault();
    try {
      const fields = {name: name.value, ...(app.value ? {app: app.value} : {}),
                      ...(auto.checked ? {auto_record: true} : {})};
      show_created(dialog, await post("streams", fields));
      done();
    } catch (error) {
      set_text(said, error.message);
    }
  }},
  el("label", {for: "new-name"}, "Name"), name,
  el("label", {for: "new-app"}, "Application"), app,
  el("label", {class: "switch"}, auto, "Auto-record"), said,
  el("div", {class: "row end"},
    el("button", {type: "button", onclick: () => dialog.close()}, "Cancel"),
    el("button", {type: "submit", class: "main"}, "Create")));
  const dialog = open_dialog("New stream", form);
  name.focus();
}

function show_created(dialog, stream) {
  const close = el("button", {type: "button", onclick: () => dialog.close()}, "Done");
  dialog.replaceChildren(el("h2", {id: "dialog-title"}, "Created: ", named(stream.name)),
    el("p", {}, "Put these into the encoder:"), ...encoder_fields(stream),
    el("div", {class: "row end"}, el("a", {href: stream_address(stream), onclick: () => dialog.close()},
      "Go to the stream"), close));
  close.focus();
}

export function streams_page(root) {
  const text = el("input", {type: "search", placeholder: "Name", "aria-label": "Filter by name", oninput: draw});
  const which = el("select", {"aria-label": "Filter by state", onchange: draw},
    ...[["all", "All"], ["live", "Live"], ["recording", "Being recorded"]]
      .map(([value, label]) => el("option", {value}, label)));
  const list = el("ul", {class: "plain streams"});
  const nothing = el("p", {class: "quiet", hidden: true});
  root.append(el("div", {class: "row"}, el("h1", {}, "Streams"),
      el("button", {type: "button", class: "main", onclick: () => create_stream(refresh)}, "New stream")),
    el("div", {class: "row filter", role: "search"}, text, which), list, nothing);
  const rows = new Map();
  let streams = null;

  const refresh = throttled(async () => {
    streams = await get_all("streams");
    draw();
  });

  function wanted(stream) {
    const now = live.streams.get(key_of(stream));
    const fits = which.value === "all" || (which.value === "live" ? now?.live : Boolean(now?.recording));
    return fits && `${stream.app}/${stream.name}`.toLowerCase().includes(text.value.toLowerCase());
  }

  function draw() {
    if (streams === null) return;
    const sorted = [...streams].sort((a, b) =>
      Number(live.streams.get(key_of(b))?.live ?? 0) - Number(live.streams.get(key_of(a))?.live ?? 0));
    const shown = [];
    for (const stream of sorted) {
      const key = key_of(stream);
      const row = rows.get(key);
      // Playback begins with an encoder; another row replaces one that says what is no more.
      if (!row || row.auto_record !== stream.auto_record || (!row.iframe_url && stream.iframe_url)) {
        row?.end();
        rows.set(key, row_of(stream));
      }
      rows.get(key).draw();
      if (wanted(stream)) shown.push(rows.get(key).node);
    }
    if (shown.length !== list.children.length || shown.some((node, i) => node !== list.children[i])) {
      list.replaceChildren(...shown);
    }
    nothing.hidden = shown.length > 0;
    set_text(nothing, streams.length === 0 ? "No streams yet. Create one, or just publish." : "None fits the filter.");
  }

  const end_watch = watch((kind, data) => {
    if (kind === "catalog" || kind === "state") {
      refresh();
      rows.forEach(row => row.look());
    } else if (kind === "stream") {
      const known = streams?.find(stream => key_of(stream) === key_of(data));
      if (!known || (data.live && known.iframe_url === null)) refresh();
      draw();
    }
  });
  refresh();
  return () => {
    end_watch();
    refresh.end();
    rows.forEach(row => row.end());
  };
}
