// docs/watch.html in a real browser: run by hand, from a folder that has playwright-core.
//
//     cd somewhere && npm install playwright-core
//     node path/to/tests/browser/watch.mjs [chromium] [folder for pictures]
//
// One request and nothing on the console; no sideways scroll from 360 to 1920 pixels; every text with
// a contrast of 4.5 or more; clicks and the keyboard alone; both languages, light and dark.

import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const { chromium } = createRequire(process.cwd() + "/")("playwright-core");
const [executablePath = "/usr/bin/chromium", pictures] = process.argv.slice(2);
const PAGE = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../docs/watch.html");
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WIDTHS = [360, 390, 520, 768, 939, 1024, 1180, 1280, 1920];
const LONG = "the plot was not bad ".repeat(40) + "supercalifragilisticexpialidocious 这部电影不错";

// Runs in the page: the texts whose contrast is below 4.5.
function pale() {
  const numbers = (text) => text.match(/[\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], back) => [r, g, b].map((v, k) => v * a + back[k] * (1 - a));
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const backs = (node) => { // all colours that can lie behind the text of a node
    const style = getComputedStyle(node), below = node.parentElement ? backs(node.parentElement) : [[255, 255, 255]];
    const here = below.map((back) => over(numbers(style.backgroundColor), back));
    const stops = style.backgroundImage.match(/rgba?\([^)]*\)/g) ?? [];
    return [...here, ...stops.flatMap((stop) => here.map((back) => over(numbers(stop), back)))];
  };
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility() || node.closest("script, style, noscript")) continue;
    seen += 1;
    for (const back of backs(node)) {
      const [a, b] = [light(over(numbers(getComputedStyle(node).color), back)), light(back)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${texts.currentNode.data.trim()} (${node.className})`);
    }
  }
  return [seen, found];
}

const requests = [];
const server = http.createServer((request, response) => {
  requests.push(request.url);
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(fs.readFileSync(PAGE));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

const profile = fs.mkdtempSync(path.join(os.tmpdir(), "watch-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath, args: ARGS, headless: true });
let checks = 0, contrasts = 0;
try {
  const page = await browser.newPage();
  const noise = [], asked = [];
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));

  const picture = async (name) => {
    await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
    if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`) });
  };
  const click = (action) => page.locator(`[data-do="${action}"]`).first().click();
  const write = (text) => page.locator("#text").fill(text);
  const language = async (lang) => {
    if (await page.evaluate(() => document.documentElement.lang) !== lang) await click("language");
  };
  const verdicts = () => page.locator("td.verdict").evaluateAll((cells) => cells.map((c) => c.className.split(" ")[1]));

  // opened as a file and over http: one request, no word on the console
  for (const url of [pathToFileURL(PAGE).href, `http://127.0.0.1:${server.address().port}/watch.html`]) {
    asked.length = 0;
    await page.goto(url);
    await page.waitForTimeout(300);
    assert.deepEqual(asked.filter((asked) => !asked.startsWith("data:")), [url]);
  }
  assert.deepEqual(requests, ["/watch.html"]);

  // what is seen first, and that the verdict turns
  await page.setViewportSize({ width: 1280, height: 800 });
  await language("en");
  assert.deepEqual(await verdicts(), ["good", "good", "good", "bad", "bad", "bad"]);

  // every state at every width, in both languages, light and dark
  const states = {
    first: async () => {},
    cell: async () => { await click("cell f 0 1 4"); },
    layer2: async () => { await click("layer 1"); },
    held: async () => { await click("held i"); },
    gru: async () => { await click("net GRU"); await click("held zr"); },
    rnn: async () => { await click("net SimpleRNN"); },
    before: async () => { await click("net LSTM"); await click("when before"); },
    question4: async () => { await click("question 3"); },
    unknown: async () => { await write("the Plot wasn't bad, 这部电影不错!"); },
    words: async () => { for (const key of ["known", "how"]) await page.locator(`[data-say="${key}"]`).click(); },
    long: async () => { await write(LONG); },
    empty: async () => { await write(""); },
  };
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const lang of ["en", "zh-CN"]) {
      await page.reload();
      await language(lang);
      for (const [name, act] of Object.entries(states)) {
        await act();
        const [seen, found] = await page.evaluate(pale);
        assert.deepEqual(found, [], `${scheme} ${lang} ${name}`);
        contrasts += seen;
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: width < 600 ? 780 : 800 });
          const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(needs <= has, `${scheme} ${lang} ${name}: ${needs} pixels wide at ${has}`);
          checks += 1;
          if (pictures && [360, 390, 1280, 1920].includes(width)) {
            await page.evaluate(() => scrollTo(0, 0));
            await picture(`${width}-${scheme}-${lang}-${name}`);
            await page.evaluate(() => document.getElementById("nets").scrollIntoView());
            await picture(`${width}-${scheme}-${lang}-${name}-inside`);
          }
        }
        await page.setViewportSize({ width: 1280, height: 800 });
      }
    }
  }

  // clicks: each has its effect
  await page.emulateMedia({ colorScheme: "light" });
  await page.reload();
  await language("en");
  await click("out 3");
  assert.deepEqual(await verdicts(), Array(6).fill("good"));
  await click("out 3");
  await click("at 3");
  assert.deepEqual(await verdicts(), Array(6).fill("early"));
  await click("example 1");
  assert.deepEqual(await verdicts(), ["bad", "bad", "bad", "good", "good", "good"]);
  const questions = await page.locator("#questions button").count();
  assert.equal(questions, 6);
  const views = new Set();
  for (let k = 0; k < questions; k += 1) {
    await click(`question ${k}`);
    views.add(await page.locator("main").innerHTML());
  }
  assert.equal(views.size, 6);
  await write("");
  await page.locator('[data-say="known"]').click();
  await click("word 0");
  assert.equal(await page.locator("#text").inputValue(), await page.locator('[data-do="word 0"]').textContent());
  await click("example 0");
  await click("play");
  assert.deepEqual(await verdicts(), Array(6).fill("early"));
  await page.waitForFunction(() => document.querySelector("td.verdict").className === "verdict good", null, { timeout: 8000 });
  assert.match(await page.locator("#play").textContent(), /Read/);

  // on a phone the word read last of a long sentence, and what a question asks about, are in sight
  await page.setViewportSize({ width: 390, height: 780 });
  await click("question 3");
  await page.waitForFunction(() => Math.abs(document.getElementById("asked").getBoundingClientRect().top) < 2);
  const ends = await page.locator(".words .now, .cells th.now").evaluateAll((all) => all.map((now) =>
    [now.getBoundingClientRect().right, now.closest(".scroll").getBoundingClientRect().right]));
  for (const [right, edge] of ends) assert.ok(right <= edge + 1, `${right} of ${edge}`);
  await click("question 0");

  // there the equations fold: what stays is their head, with P of the three networks in it
  const height = () => page.locator("#sum").evaluate((node) => node.getBoundingClientRect().height);
  assert.ok(await height() > 300);
  await page.locator("#chosen").click();
  assert.ok(await height() < 130, `${await height()} pixels high when folded`);
  await click("cell f 0 1 4"); // stays folded
  assert.ok(await height() < 130);
  const scores = await page.locator("#chosen .good, #chosen .bad").allTextContents();
  assert.equal(scores.length, 6);
  for (const text of scores) assert.match(text, /^(SimpleRNN|LSTM|GRU)\s+[\d.]+$/);
  await picture("390-folded");
  await page.locator("#chosen").click();

  // a cell that is clicked has its equation in sight, on a phone too
  for (const [width, height] of [[360, 640], [390, 780], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    for (const action of ["cell i 0 0 4", "cell h 1 3 4"]) {
      await click(action);
      const seen = await page.evaluate(() => {
        const { left, top, bottom } = document.querySelector(".equation.chosen").getBoundingClientRect();
        const node = document.elementFromPoint(left + 20, (top + bottom) / 2);
        return top >= 0 && bottom <= innerHeight && node?.closest(".equation.chosen") !== null;
      });
      assert.ok(seen, `${action} at ${width}`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });

  // the keyboard alone: Tab reaches all, Enter and the arrows do it
  await page.reload();
  const reached = new Set();
  for (let n = 0; n < 150; n += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.dataset.do ?? document.activeElement.id));
  }
  const wanted = await page.evaluate(() => [...document.querySelectorAll("button, input, td[tabindex='0']")]
    .filter((node) => node.checkVisibility()).map((node) => node.dataset.do ?? node.id));
  assert.deepEqual(wanted.filter((name) => !reached.has(name)), []);
  await page.locator('[data-do="question 0"]').focus();
  await page.keyboard.press("Enter");
  const focused = () => page.evaluate(() => document.activeElement.dataset.do);
  assert.equal(await focused(), "question 0");
  const cell = page.locator('.cells td[tabindex="0"]').first();
  await cell.focus();
  const [, letter, , unit, k] = (await focused()).split(" ");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), `cell ${letter} 0 ${unit} ${k - 2}`);
  await page.keyboard.press(unit === "0" ? "ArrowDown" : "ArrowUp");
  assert.equal(await focused(), `cell ${letter} 0 ${unit === "0" ? 1 : unit - 1} ${k - 2}`);
  await page.locator("#at").focus();
  await page.keyboard.press("End");
  assert.deepEqual(await verdicts(), ["good", "good", "good", "bad", "bad", "bad"]);
  await page.locator('[data-do="out 3"]').focus();
  await page.keyboard.press("Space");
  assert.deepEqual(await verdicts(), Array(6).fill("good"));
  assert.equal(await focused(), "out 3");

  assert.deepEqual(noise, []);
  console.log(`well: ${checks} widths, ${contrasts} texts, ${reached.size} places by Tab`);
} finally {
  await browser.close();
  server.close();
  fs.rmSync(profile, { recursive: true, force: true });
}
