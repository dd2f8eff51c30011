// The timeline of a video, drawn to scale, with the facts of each thing on hover and focus; and on
// it a part chosen by dragging.

import {el, set_text} from "./dom.js";
import {clock, exact} from "./format.js";

const REPAIR_PLACES = 200;  // repairs nearer than this part of the video are told as one
// Of a key, in seconds: an arrow, with Shift, a page.
const STEP = 1, SMALL_STEP = 0.1, LARGE_STEP = 10;
const REASONS = {
  connection: "the connection was lost", silence: "nothing came", reconnect: "the encoder reconnected",
};

const shown = value => value === null ? "not said" : String(value);

function epoch_words(epoch) {
  const {video, audio} = epoch;
  const words = [`Epoch ${epoch.index + 1}, ${clock(epoch.start_ms / 1000)} to ${clock(epoch.end_ms / 1000)}`];
  if (video) {
    words.push([video.codec, video.profile, video.width ? `${video.width}×${video.height}` : null, video.pix_fmt,
                video.color_range, video.color_space,
                video.frame_rate_measured ? `${video.frame_rate_measured} fps measured` : null,
                video.frame_rate_declared ? `${video.frame_rate_declared} fps declared` : null]
      .filter(Boolean).join(" "));
  }
  if (audio) words.push([audio.codec, `${audio.sample_rate} Hz`, `${audio.channels} channels`].filter(Boolean).join(" "));
  return words.join(". ");
}

function interruption_words(gap) {
  const reason = gap.reason === null ? "" : `: ${REASONS[gap.reason] ?? gap.reason.replaceAll("_", " ")}`;
  return `Interruption at ${clock(gap.at_ms / 1000)}, ${(gap.lost_ms / 1000).toFixed(1)} s lost${reason}`;
}

const change_words = change =>
  `Change at ${exact(change.at_ms)}: ${change.field} from ${shown(change.from)} to ${shown(change.to)}`;

const repair_words = repair => `Timestamp repair at ${exact(repair.at_ms)} (${repair.track}, ${repair.kind})` +
  (repair.count > 1 ? `, ${repair.count} times` : "");

// Things at one place, told as one.
function together(things, place_of, words_of) {
  const places = new Map();
  for (const thing of things) {
    const place = place_of(thing);
    places.set(place, [...places.get(place) ?? [], thing]);
  }
  return [...places.values()].map(all => ({at_ms: all[0].at_ms,
    words: all.slice(0, 5).map(words_of).join(". ") + (all.length > 5 ? `. And ${all.length - 5} more` : "")}));
}

// {node, draw(timeline, duration_ms), playhead(seconds)}. `seek(seconds)`: somebody wants to go
// there; `chosen(from, to)`: seconds of the part that is being chosen.
export function timeline_strip({seek, chosen}) {
  const bar = el("div", {class: "bar"}), selection = el("div", {class: "selection", hidden: true});
  const head = el("div", {class: "head", "aria-hidden": "true"});
  const told = el("p", {class: "facts quiet", "aria-live": "polite"});
  const scale = el("div", {class: "scale", "aria-hidden": "true"});
  const begin = handle("Clip begins"), end = handle("Clip ends");
  const track = el("div", {class: "track"}, bar, selection, head, begin, end);
  const node = el("div", {class: "strip", role: "group", "aria-label": "Timeline"}, track, scale, told);
  let duration = 0;
  let part = {from: 0, to: 0};  // s, where the handles are
  const hint = "Point at a part for its facts. Drag, or move the two handles, to choose a clip.";
  const percent = ms => `${duration > 0 ? Math.min(100, 100 * ms / duration) : 0}%`;

  function thing(kind, at_ms, words, width_ms = null) {
    const button = el("button", {type: "button", class: `thing ${kind}`, "aria-label": words,
      onfocus: () => set_text(told, words), onpointerenter: () => set_text(told, words),
      onpointerleave: () => set_text(told, hint),
      onclick: event => {
        if (event.detail === 0) seek(at_ms / 1000);  // by the keyboard: a pointer's is drag()'s
      }});
    button.style.left = percent(at_ms);
    if (width_ms !== null) button.style.width = percent(width_ms);
    return button;
  }

  function draw(timeline, duration_ms) {
    duration = duration_ms;
    const place = one => Math.floor(one.at_ms / Math.max(1, duration) * REPAIR_PLACES);
    bar.replaceChildren(
      ...timeline.epochs.map(epoch => thing(`epoch ${epoch.index % 2 ? "odd" : "even"}`, epoch.start_ms,
        epoch_words(epoch), epoch.end_ms - epoch.start_ms)),
      ...together(timeline.timestamp_repairs, place, repair_words).map(one => thing("repair", one.at_ms, one.words)),
      ...together(timeline.changes, one => one.at_ms, change_words).map(one => thing("change", one.at_ms, one.words)),
      ...timeline.interruptions.map(gap => thing("gap", gap.at_ms, interruption_words(gap))));
    scale.replaceChildren(...[0, 0.25, 0.5, 0.75, 1].map(part => el("span", {}, clock(Math.round(part * duration / 1000)))));
    set_text(told, hint);
  }

  // Nothing is chosen: the handles wait at both ends.
  function select(from, to) {
    const whole = duration / 1000;
    part = to === 0 ? {from: 0, to: whole} : {from: Math.min(from, whole), to: Math.min(to, whole)};
    selection.hidden = to <= from;
    selection.style.left = percent(from * 1000);
    selection.style.width = percent((to - from) * 1000);
    place(begin, part.from);
    place(end, part.to);
  }

  // One end of the clip: a slider for the keyboard, a handle for a pointer.
  function handle(label) {
    return el("div", {class: "handle", role: "slider", tabindex: "0", "aria-label": label, "aria-valuemin": "0",
                      onkeydown: event => step(event.currentTarget, event),
                      onpointerdown: event => pull(event.currentTarget, event)});
  }

  function place(one, seconds) {
    one.style.left = percent(seconds * 1000);
    one.setAttribute("aria-valuemax", (duration / 1000).toFixed(1));
    one.setAttribute("aria-valuenow", seconds.toFixed(1));
    one.setAttribute("aria-valuetext", exact(seconds * 1000));
  }

  // An end that meets the other one takes it along.
  function move(one, seconds) {
    const at = Math.min(duration / 1000, Math.max(0, seconds));
    if (one === begin) chosen(at, Math.max(at, part.to));
    else chosen(Math.min(at, part.from), at);
  }

  function step(one, event) {
    const now = one === begin ? part.from : part.to, small = event.shiftKey ? SMALL_STEP : STEP;
    const to = {ArrowLeft: now - small, ArrowDown: now - small, ArrowRight: now + small, ArrowUp: now + small,
                PageDown: now - LARGE_STEP, PageUp: now + LARGE_STEP, Home: 0, End: duration / 1000}[event.key];
    if (to === undefined || duration === 0) return;
    event.preventDefault();  // the page does not scroll
    move(one, to);
  }

  function pull(one, down) {
    if (down.button !== 0 || duration === 0) return;
    down.stopPropagation();  // no new part is begun
    follow(event => move(one, seconds_at(event)), () => {});
  }

  // Calls while a pointer that is down moves, and when it is let go.
  function follow(moved, ended) {
    const over = event => {
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", over);
      removeEventListener("pointercancel", over);
      ended(event);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", over);
    addEventListener("pointercancel", over);
  }

  const seconds_at = event => {
    const {left, width} = track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * duration / 1000;
  };

  track.addEventListener("pointerdown", down => {
    if (down.button !== 0 || duration === 0) return;
    const began = seconds_at(down);
    let dragged = false;
    follow(event => {
      if (!dragged && Math.abs(event.clientX - down.clientX) < 5) return;
      dragged = true;
      const now = seconds_at(event);
      chosen(Math.min(began, now), Math.max(began, now));
    }, event => {
      if (!dragged && event.type === "pointerup") seek(began);
    });
  });

  return {node, draw, select, playhead(seconds) { head.style.left = percent(seconds * 1000); }};
}
