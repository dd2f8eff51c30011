// Plays the video that the page's own address names, /…/{slug}: with hls.js, because a source that
// changes in the middle needs it, while it is recorded and afterwards.

const RETRY_MS = 2000;
const CHAPTERS_MS = 10000;
const KEY_SECONDS = 5;
// An interruption lies between two pictures, and its time is rounded.
const BEHIND = 0.05;
const HLS_TYPE = "application/vnd.apple.mpegurl";
const WORDS = {
  no_media_yet: "Nothing is saved yet. Playback begins as soon as there is something.",
  too_short: "This recording was too short to be kept.",
  video_deleted: "This video was deleted.",
  video_not_found: "There is no such video.",
  403: "This link is not valid.",
  410: "This link has expired.",
};

const find = selector => document.querySelector(selector);
const video = find("video");
const note = find("[role=status]");
const position = find("#places input");
const live = find("#live");
// A link that is good for the page is good for all that it plays and shows.
const url = name => `${location.pathname.replace(/\/+$/, "")}/${name}${location.search}`;

function say(text) {
  note.textContent = text;
}

function reveal(element) {
  element.hidden = false;
  find("section").hidden = false;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = number => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// Cues of a WebVTT file as our server writes them: [{begin, end, text}].
async function cues(name) {
  const reply = await fetch(url(name)).catch(() => null);
  if (!reply?.ok) return [];
  const time = text => text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return (await reply.text()).split(/\n\n+/).flatMap(block => {
    const lines = block.split("\n"), at = lines.findIndex(line => line.includes("-->"));
    if (at < 0) return [];
    const [begin, end] = lines[at].split("-->").map(time);
    return [{begin, end, text: lines.slice(at + 1).join(" ").trim()}];
  });
}

// ---- what there is to play

// Why there is nothing to play, empty when there is; and whether it will stay so.
async function ask() {
  const reply = await fetch(url("master.m3u8"), {cache: "no-store"}).catch(() => null);
  if (reply === null) return {text: "The server cannot be reached. Trying again …", final: false};
  if (reply.ok) return {text: "", final: false};
  const code = reply.status === 404
    ? (await reply.json().catch(() => null))?.error?.code ?? "video_not_found" : reply.status;
  return {text: WORDS[code] ?? "The server cannot play this video now. Trying again …",
          final: code in WORDS && code !== "no_media_yet"};
}

async function begin() {
  const {text, final} = await ask();
  say(text);
  video.hidden = final;
  if (text === "") play();
  else if (!final) setTimeout(begin, RETRY_MS);
}

// What is loaded already is played meanwhile.
async function come_back(player) {
  const {text, final} = await ask();
  say(text);
  if (text === "") setTimeout(() => player.startLoad(), RETRY_MS);
  else if (!final) setTimeout(come_back, RETRY_MS, player);
}

async function give_up() {
  const {text, final} = await ask();
  say(text || "This browser cannot play this video.");
  if (text !== "" && !final) setTimeout(begin, RETRY_MS);
}

function play() {
  if (globalThis.Hls?.isSupported()) {
    document.documentElement.dataset.player = "hls.js";
    play_with_hls_js();
  } else if (video.canPlayType(HLS_TYPE) !== "") {
    document.documentElement.dataset.player = "native";
    video.onerror = give_up;
    video.src = url("master.m3u8");
    show_chapters();
    const again = setInterval(() => {
      show_chapters();
      if (Number.isFinite(video.duration)) clearInterval(again);
    }, CHAPTERS_MS);
  } else {
    say("This browser plays no HLS.");
    return;
  }
  show_sprite();
}

function play_with_hls_js() {
  const player = new Hls({enableWorker: false, liveSyncDurationCount: 1});
  let mended = false;
  player.on(Hls.Events.ERROR, (_, error) => {
    if (!error.fatal) return;
    document.documentElement.dataset.error = error.details;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !mended) {
      mended = true;
      player.recoverMediaError();
    } else if (error.type === Hls.ErrorTypes.NETWORK_ERROR && player.levels.length > 0) {
      come_back(player);
    } else {
      player.destroy();
      give_up();
    }
  });
  // Again and again while it is recorded: that is when there may be more chapters.
  player.on(Hls.Events.LEVEL_LOADED, (_, {details}) => {
    if (details.live) reveal(live);
    else live.hidden = true;
    show_chapters();
  });
  live.onclick = () => {
    video.currentTime = player.liveSyncPosition ?? video.duration;
    video.play().catch(() => {});
  };
  player.on(Hls.Events.MANIFEST_PARSED, () => offer_qualities(player));
  player.loadSource(url("master.m3u8"));
  player.attachMedia(video);
}

function offer_qualities(player) {
  const choice = find("#quality select");
  if (player.levels.length < 2) return;
  const option = (value, text) => choice.add(new Option(text, value));
  choice.replaceChildren();
  option(-1, "Automatic");
  player.levels.forEach((level, i) => {
    const name = new URL(level.url[0], location.href).pathname.split("/").pop().replace(/\.m3u8$/, "");
    option(i, name !== "source" ? name : level.height ? `Source (${level.height}p)` : "Source");
  });
  choice.value = -1;
  let chosen = false;
  choice.onchange = () => {
    player.currentLevel = Number(choice.value);
    chosen = true;
  };
  // A picture that stands still is drawn anew only after a seek.
  player.on(Hls.Events.LEVEL_SWITCHED, () => {
    if (chosen && video.paused) video.currentTime = video.currentTime;
    chosen = false;
  });
  reveal(find("#quality"));
}

// ---- chapters, one for each stretch without an interruption

let chapters = [];

async function show_chapters() {
  const found = await cues("chapters.vtt");
  // Those that are there stay as they are, and keep the keyboard's focus.
  const added = found.slice(chapters.length);
  if (added.length === 0) return;
  chapters = found;
  find("nav ol").append(...added.map(chapter => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = `${clock(chapter.begin)} ${chapter.text}`;
    button.onclick = () => { video.currentTime = chapter.begin > 0 ? chapter.begin + BEHIND : 0; };
    item.append(button);
    return item;
  }));
  reveal(find("nav"));
  reveal(find("#places"));
  draw_marks();
  follow();
}

function draw_marks() {
  if (!(video.duration > 0)) return;
  find("#marks").replaceChildren(...chapters.slice(1).map(chapter => {
    const mark = document.createElement("i");
    mark.style.left = `${100 * chapter.begin / video.duration}%`;
    return mark;
  }));
}

function follow() {
  position.value = video.currentTime;
  position.setAttribute("aria-valuetext", `${clock(video.currentTime)} of ${clock(video.duration || 0)}`);
  const at = chapters.findLastIndex(chapter => chapter.begin <= video.currentTime);
  document.querySelectorAll("nav button").forEach((button, i) =>
    i === at ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current"));
}

video.addEventListener("durationchange", () => {
  if (!Number.isFinite(video.duration)) return;
  position.max = video.duration;
  draw_marks();
  follow();
});
video.addEventListener("timeupdate", follow);
position.addEventListener("input", () => { video.currentTime = Number(position.value); });
position.addEventListener("keydown", event => {
  const way = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
  if (!way) return;
  event.preventDefault();  // a tenth of a second at a time is no use
  video.currentTime = Math.max(0, Math.min(video.currentTime + way * KEY_SECONDS, Number(position.max)));
});

// ---- pictures

async function show_sprite() {
  const pictures = (await cues("sprite.vtt")).flatMap(cue => {
    const place = /#xywh=(\d+),(\d+),(\d+),(\d+)/.exec(cue.text);
    return place === null ? [] : [{...cue, place: place.slice(1).map(Number)}];
  });
  if (pictures.length === 0) return;
  const preview = find("#preview"), tile = find("#preview i");
  tile.style.backgroundImage = `url("${url("sprite.jpg")}")`;
  position.addEventListener("pointermove", event => {
    // The marks are as wide as the way of the thumb.
    const way = find("#marks").getBoundingClientRect(), whole = find("#places").getBoundingClientRect();
    const share = Math.max(0, Math.min((event.clientX - way.left) / way.width, 1));
    const seconds = share * Number(position.max);
    const [left, top, width, height] = (pictures.findLast(one => one.begin <= seconds) ?? pictures[0]).place;
    tile.style.backgroundPosition = `-${left}px -${top}px`;
    tile.style.width = `${width}px`;
    tile.style.height = `${height}px`;
    find("#preview span").textContent = clock(seconds);
    preview.hidden = false;
    const most = whole.width - preview.offsetWidth;
    preview.style.left = `${Math.max(0, Math.min(event.clientX - whole.left - preview.offsetWidth / 2, most))}px`;
  });
  position.addEventListener("pointerleave", () => { preview.hidden = true; });
  reveal(find("#places"));
}

fetch(url("poster.jpg")).then(reply => {
  if (reply.ok) video.poster = url("poster.jpg");
}).catch(() => {});
begin();
