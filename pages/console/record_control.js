// Start record, Stop record, the timer, and in words what a recording is about.

import {get, put, stream_path} from "./api.js";
import {el, note, set_text} from "./dom.js";
import {clock} from "./format.js";
import {key_of, live, recorded_seconds, watch} from "./live.js";

const OUTCOME_MS = 1000;
const START_MS = 3000;  // until a start that was answered can be seen
const STARTING = "Starting…";

// "recording 0:12", for lists; empty: nothing is recorded.
export function recording_words(stream) {
  const recording = stream?.recording;
  if (!recording) return "";
  switch (recording.state) {
    case "requested": return STARTING;
    case "active": return `● ${clock(recorded_seconds(stream))}`;
    case "interrupted": return `Interrupted, ${recording.window_left_seconds} s left`;
    default: return "Finishing…";
  }
}

// {node, end}: buttons and state of one stream, with its outcome where `large`.
export function record_control(known, large = false) {
  const start = el("button", {type: "button", class: "record", onclick: begin}, "Start record");
  const stop = el("button", {type: "button", class: "stop", onclick: finish}, "Stop record");
  const timer = el("span", {class: "timer", role: "timer"});
  const state = el("p", {class: "state", role: "status", hidden: !large});
  const node = el("div", {class: large ? "control large" : "control"}, start, stop, timer, state);
  let busy = "";      // what was clicked and is not yet seen in the state
  let said = "";      // why it did not work, or how it ended
  let video = null;   // of the recording that goes on
  const label = suffix => `${suffix}: ${known.name}`;
  start.setAttribute("aria-label", label("Start record"));
  stop.setAttribute("aria-label", label("Stop record"));

  const stream = () => live.streams.get(key_of(known)) ?? {...known, live: false, recording: null};

  async function begin() {
    busy = STARTING;
    said = "";
    draw();
    try {
      const {warnings} = await put(`${stream_path(stream())}/start_recording`);
      for (const warning of warnings) note(warning.message, "warning");
      setTimeout(started, START_MS);
    } catch (error) {
      busy = "";
      said = error.code === "no_space" ? `No space: ${error.message}` : error.message;
      if (!large) note(said);
    }
    draw();
  }

  // What ended at once was never seen running.
  function started() {
    if (busy === STARTING) busy = "";
    draw();
  }

  async function finish() {
    busy = "Stopping…";
    draw();
    try {
      await put(`${stream_path(stream())}/stop_recording`);
    } catch (error) {
      said = error.message;
      if (!large) note(said);
    }
    busy = "";
    draw();
  }

  // What became of it is known when its file is finished.
  async function tell_outcome(id) {
    said = "Finishing…";
    draw();
    for (let tries = 0; tries < 60 && node.isConnected; ++tries) {
      const ended = await get(`videos/${id}`).catch(error => error.status === 404 ? {status: "error"} : null);
      if (stream().recording) return;
      if (ended !== null && ended.status !== "pending") {
        said = ended.status !== "error" ? `Saved, ${clock(ended.duration / 1000)} long.`
          : ended.error === "too_short" ? "Too short: it was not kept." : "Nothing was saved.";
        draw();
        return;
      }
      await new Promise(done => setTimeout(done, OUTCOME_MS));
    }
  }

  function words(now) {
    const recording = now.recording;
    if (busy) return busy;
    if (!recording) return said || (now.live ? "Not recorded."
      : "Not live. Start the encoder to record by hand, or switch auto-record on.");
    switch (recording.state) {
      case "requested": return "Starting: waits for the first picture.";
      case "active": return recording.automatic ? "Recording, begun by auto-record." : "Recording.";
      case "interrupted":
        return `Interrupted: goes on if the encoder is back within ${recording.window_left_seconds} s.`;
      default: return "Finishing…";
    }
  }

  function draw() {
    const now = stream();
    const running = now.recording && now.recording.state !== "ending";
    if (running && busy === STARTING) busy = "";
    const pressed = document.activeElement === start || document.activeElement === stop;
    start.hidden = Boolean(running);
    stop.hidden = !running;
    start.disabled = !now.live || busy !== "";
    stop.disabled = busy !== "";
    if (pressed && document.activeElement === document.body) (running ? stop : start).focus();
    node.dataset.state = now.recording?.state ?? (now.live ? "live" : "off");
    if (large) set_text(state, words(now));
    tick();
    if (!live.connected) return;  // what was known is not what is
    const before = video;
    video = now.recording?.video_id ?? null;
    if (large && before !== null && video === null) tell_outcome(before);
  }

  function tick() {
    const now = stream();
    set_text(timer, large && now.recording ? clock(recorded_seconds(now)) : recording_words(now));
  }

  const timing = setInterval(tick, 250);
  const end_watch = watch((kind, data) => {
    if (kind === "connection" || kind === "state" || (kind === "stream" && key_of(data) === key_of(known))) draw();
  });
  draw();
  return {node, end() {
    clearInterval(timing);
    end_watch();
  }};
}
