// node driver.mjs MODULES CHROMIUM: drives a browser as told on stdin, one JSON a line:
//   ["page.click", "text=Start record"]  a call of a page, or of what is below it
//   ["frame.press", "video", "Space"]    likewise, in the last frame of the page
//   ["open", {options}]                  a page in a new context, which is the page from now on
//   ["axe"]                              what axe-core finds serious on the page
// and answers with one line each, {"value": …} or {"error": "…"}. Playwright waits by itself until
// what it is told can be done.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
import {createInterface} from "node:readline";

const [modules, executablePath] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const {chromium} = require("playwright-core");
const browser = await chromium.launch({executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--mute-audio",
  "--autoplay-policy=no-user-gesture-required"]});
let page = null;
const told = [];  // what pages complain about

async function open(options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(60000);
  page = await context.newPage();
  page.on("pageerror", error => told.push(String(error)));
  page.on("dialog", dialog => {
    told.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("console", message => {
    if (message.type() === "error" && /Content.Security|Refused/.test(message.text())) told.push(message.text());
  });
}

async function axe() {
  // As Playwright runs it: the page's policy allows no script of anybody else's.
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") + ";0");
  const result = await page.evaluate(() => axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}));
  return result.violations.filter(one => one.impact === "serious" || one.impact === "critical")
    .map(one => `${one.id}: ${one.nodes.map(node => `${node.target} ${node.failureSummary}`).join(" | ")}`);
}

async function run([what, ...given]) {
  if (what === "open") return open(...given);
  if (what === "axe") return axe();
  if (what === "told") return told.splice(0);
  const names = what.split(".").slice(1);
  let object = what.startsWith("frame.") ? page.frames().at(-1) : page;
  for (const name of names.slice(0, -1)) object = object[name];
  const last = names.at(-1);
  if (last === "download") {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(given[0])]);
    await download.saveAs(given[1]);
    return download.suggestedFilename();
  }
  return object[last](...given);
}

function plain(value) {
  try {
    return JSON.parse(JSON.stringify(value ?? null));
  } catch {
    return null;
  }
}

for await (const line of createInterface({input: process.stdin})) {
  let answer;
  try {
    const value = await run(JSON.parse(line));
    answer = {value: typeof value === "object" && value !== null && !Array.isArray(value) && "_guid" in value ? null : plain(value)};
  } catch (error) {
    answer = {error: String(error)};
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
