// Numbers for people.

const two = number => String(number).padStart(2, "0");

// "1:02:03", "2:03"
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// "2:03.450"
export function exact(ms) {
  const rest = Math.round(ms) % 1000;
  return `${clock(Math.round(ms) / 1000)}.${String(rest).padStart(3, "0")}`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) {
    count /= 1000;
    ++at;
  }
  return `${at === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[at]}`;
}

export const bit_rate = bits => bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s`
                                            : `${Math.round(bits / 1000)} kbit/s`;

export const frame_rate = rate => `${Number(rate.toFixed(2))} fps`;

// "3 h 20 min", "12 min", "40 s"
export function time_left(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export const date = time => new Date(time).toLocaleString([], {dateStyle: "medium", timeStyle: "medium"});
