// What the server tells by itself: server-sent events. `live` is what is known now; watch() tells
// of changes.

import {api_url} from "./api.js";

const AGAIN_MS = 3000;

export const live = {connected: null, streams: new Map(), space: null, catalog: null};

export const key_of = stream => `${stream.app}/${stream.name}`;

const watchers = new Set();
let source = null;
let again = null;

// tell(kind, data): "connection" (it is there, or not), "state" (all is new), "stream", "space",
// "catalog" (streams or videos have changed; "catalog_known": it was asked for the first time).
// Returns what ends it.
export function watch(tell) {
  watchers.add(tell);
  return () => watchers.delete(tell);
}

function tell(kind, data) {
  for (const each of [...watchers]) each(kind, data);
}

function connected(now) {
  if (live.connected === now) return;
  live.connected = now;
  document.documentElement.dataset.connected = String(now);
  tell("connection", now);
}

const received = stream => ({...stream, received: performance.now()});

function close() {
  clearTimeout(again);
  source?.close();
  source = null;
}

function open() {
  close();
  if (document.hidden) return;
  source = new EventSource(api_url("events"));
  source.addEventListener("state", event => {
    const state = JSON.parse(event.data);
    live.streams = new Map(state.streams.map(received).map(stream => [key_of(stream), stream]));
    live.space = state.space;
    live.catalog = state.catalog;
    connected(true);
    tell("state");
  });
  source.addEventListener("stream", event => {
    const stream = received(JSON.parse(event.data));
    live.streams.set(key_of(stream), stream);
    tell("stream", stream);
  });
  source.addEventListener("stream_gone", event => {
    const gone = JSON.parse(event.data);
    live.streams.delete(key_of(gone));
    tell("stream", {...gone, live: false, recording: null, bit_rate: null, frame_rate: null,
                    width: null, height: null});
  });
  source.addEventListener("space", event => {
    live.space = JSON.parse(event.data);
    tell("space", live.space);
  });
  source.addEventListener("catalog", event => {
    const known = live.catalog !== null;
    live.catalog = JSON.parse(event.data);
    tell(known ? "catalog" : "catalog_known");
  });
  source.addEventListener("error", () => {
    connected(false);
    // A refusal is not tried again by the browser itself.
    if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, AGAIN_MS);
  });
}

// A page that nobody sees leaves its connection to others: a browser has six of a server.
document.addEventListener("visibilitychange", () => {
  clearTimeout(again);
  if (document.hidden) again = setTimeout(close, 10000);
  else if (source === null || source.readyState === EventSource.CLOSED) open();
});

export {open as connect};

// Seconds recorded by now: an event tells once a second.
export function recorded_seconds(stream) {
  const {state, duration_seconds} = stream.recording;
  const since = (performance.now() - stream.received) / 1000;
  return duration_seconds + (state === "active" && live.connected ? Math.min(since, 1.5) : 0);
}

// Calls at most once in a while, and once more when it was called meanwhile.
export function throttled(work, ms = 1500) {
  let waiting = false, wanted = false, ended = false;
  const run = async () => {
    if (ended) return;
    if (waiting) {
      wanted = true;
      return;
    }
    waiting = true;
    wanted = false;
    await work().catch(() => {});
    setTimeout(() => {
      waiting = false;
      if (wanted) run();
    }, ms);
  };
  run.end = () => { ended = true; };
  return run;
}
