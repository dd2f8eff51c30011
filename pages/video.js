// Plays the video that the page's own address names, /…/{slug}: with hls.js, because a source that
// changes in the middle needs it, while it is recorded and afterwards.

const RETRY_MS = 2000;
const CHAPTERS_MS = 10000;
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
// A link that is good for the page is good for all that it plays and shows.
const url = name => `${location.pathname.replace(/\/+$/, "")}/${name}${location.search}`;

function say(text) {
  note.textContent = text;
  note.hidden = text === "";
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
    return [{begin, end, text: lines.slice(at + 1).join(" ")}];
  });
}

// ---- what there is to play

// What a refusal says, and whether asking again may help.
async function refusal(reply) {
  const code = reply.status === 404
    ? (await reply.json().catch(() => null))?.error?.code ?? "video_not_found" : reply.status;
  return {text: WORDS[code] ?? "The server cannot play this video now.",
          final: code in WORDS && code !== "no_media_yet"};
}

async function begin() {
  const reply = await fetch(url("master.m3u8"), {cache: "no-store"}).catch(() => null);
  if (reply?.ok) {
    say("");
    play();
    return;
  }
  const {text, final} =
    reply === null ? {text: "The server cannot be reached."} : await refusal(reply);
  say(text);
  if (!final) setTimeout(begin, RETRY_MS);
}

async function give_up() {
  const reply = await fetch(url("master.m3u8"), {cache: "no-store"}).catch(() => null);
  say(reply === null ? "The server cannot be reached." : reply.ok
    ? "This browser cannot play this video." : (await refusal(reply)).text);
}

function play() {
  if (globalThis.Hls?.isSupported()) {
    document.documentElement.dataset.player = "hls.js";
    play_with_hls_js();
  } else if (video.canPlayType(HLS_TYPE) !== "") {
    document.documentElement.dataset.player = "native";
    video.onerror = give_up;
    video.src = url("master.m3u8");
  } else {
    say("This browser plays no HLS.");
    return;
  }
  show_chapters();
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
      return;
    }
    player.destroy();
    give_up();
  });
  player.on(Hls.Events.LEVEL_LOADED, (_, {details}) => { growing = details.live; });
  player.on(Hls.Events.MANIFEST_PARSED, () => offer_qualities(player));
  player.loadSource(url("master.m3u8"));
  player.attachMedia(video);
}

function offer_qualities(player) {
  const choice = find("#quality select");
  if (player.levels.length < 2) return;
  const option = (value, text) => choice.add(new Option(text, value));
  option(-1, "Automatic");
  player.levels.forEach((level, i) => {
    const name = new URL(level.url[0], location.href).pathname.split("/").pop();
    option(i, name.replace(/\.m3u8$/, "") + (level.height ? ` (${level.height} lines)` : ""));
  });
  choice.value = -1;
  choice.onchange = () => { player.currentLevel = Number(choice.value); };
  reveal(find("#quality"));
}

// ---- chapters, one for each stretch without an interruption

let chapters = [];
let growing = null;  // as far as hls.js has said

async function show_chapters() {
  const found = await cues("chapters.vtt");
  if (found.length > 0) {
    chapters = found;
    draw_chapters();
  }
  // More may come as long as it is recorded.
  if (growing ?? !Number.isFinite(video.duration)) setTimeout(show_chapters, CHAPTERS_MS);
}

function draw_chapters() {
  find("nav ol").replaceChildren(...chapters.map(chapter => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = `${clock(chapter.begin)} ${chapter.text}`;
    button.onclick = () => { video.currentTime = chapter.begin; };
    item.append(button);
    return item;
  }));
  reveal(find("nav"));
  reveal(find("#places"));
  draw_marks();
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
  const at = chapters.findLastIndex(chapter => chapter.begin <= video.currentTime + 0.05);
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

// ---- pictures

async function show_sprite() {
  const pictures = (await cues("sprite.vtt")).flatMap(cue => {
    const place = /#xywh=(\d+),(\d+),(\d+),(\d+)/.exec(cue.text);
    return place === null ? [] : [{...cue, place: place.slice(1).map(Number)}];
  });
  if (pictures.length === 0) return;
  const preview = find("#preview");
  preview.style.backgroundImage = `url("${url("sprite.jpg")}")`;
  const show = (seconds, x) => {
    const picture = pictures.findLast(one => one.begin <= seconds) ?? pictures[0];
    const [left, top, width, height] = picture.place;
    preview.style.backgroundPosition = `-${left}px -${top}px`;
    preview.style.width = `${width}px`;
    preview.style.height = `${height}px`;
    preview.style.left = `${Math.max(0, Math.min(x - width / 2, innerWidth - width))}px`;
    preview.hidden = false;
  };
  position.addEventListener("pointermove", event => {
    const {left, width} = position.getBoundingClientRect();
    show((event.clientX - left) / width * Number(position.max), event.clientX);
  });
  position.addEventListener("pointerleave", () => { preview.hidden = true; });
  reveal(find("#places"));
}

fetch(url("poster.jpg")).then(reply => {
  if (reply.ok) video.poster = url("poster.jpg");
}).catch(() => {});
begin();
