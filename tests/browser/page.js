// Runs the scripts of docs/watch.html in node, with a small stand-in for the browser.
//
// stdin: { html, language, actions, texts, only_words } as JSON. With texts it prints how each is split, and
// what the networks make of it; with actions ([name, ...values] each) what the page shows after every one.

const vm = require("vm");
const { html, language, actions, texts, only_words } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const script = (id) => vm.runInThisContext(html.match(new RegExp(`<script id="${id}">([^]*?)</script>`))[1]);
const inPage = (expression) => vm.runInThisContext(expression);

function compute() {
  const words = texts.map(inPage("tokenize"));
  if (only_words) return { words };
  const p = inPage(`(texts) => Object.fromEntries(Object.keys(DATA.nets).flatMap((name) => ["before", "after"].map((when) => {
    const net = unpack(name, DATA.nets[name][when]);
    return [name + " " + when, texts.map((text) => read(net, encode(tokenize(text))).at(-1).p)];
  })))`)(texts);
  return { p, words, ids: words.map(inPage("encode")) };
}

// ---------------------------------------------------------------------------------- the browser
const nodes = {}, said = {}, handlers = {}, focused = [];
let prevented = 0, tick = null, seen = null, pause = null; // what setInterval would call, how often; what was scrolled to
function node(id) {
  if (!html.includes(`id="${id}"`)) throw new Error(`the page has no ${id}`);
  return nodes[id] ??= { id, innerHTML: "", textContent: "", value: "", dataset: {}, offsetHeight: 76,
    querySelector: () => ({ offsetTop: 500 }), addEventListener(kind, f) { handlers[id + " " + kind] = f },
    scrollIntoView() { seen = id } };
}
for (const [, key] of html.matchAll(/data-say="(\w+)"/g)) said[key] = { dataset: { say: key } };
globalThis.document = {
  documentElement: {}, activeElement: null, getElementById: node,
  querySelectorAll: (what) => what === "[data-say]" ? Object.values(said) : [],
  querySelector: (what) => ({ focus() { focused.push(what) } }),
  addEventListener(kind, f) { handlers[kind] = f },
};
Object.defineProperty(globalThis, "navigator", { value: { language } });
globalThis.setInterval = (f, ms) => { [tick, pause] = [f, ms]; return 1; };
globalThis.clearInterval = () => { tick = null; };

const target = (what) => ({ dataset: { do: what }, closest: () => target(what) });
const press = (kind, what, event) => {
  document.activeElement = target(what);
  handlers[kind]({ target: target(what), preventDefault() { prevented += 1; }, ...event });
};
const DO = {
  click: (what) => press("click", what),
  key: (key, what) => press("keydown", what, { key }),
  type(text) { node("text").value = text; handlers["text input"](); },
  slide(k) { node("at").value = String(k); handlers["at input"](); },
  tick: () => tick?.(),
  write: (text, changes) => inPage("write")(text, changes),
};

function shown() {
  const of = (key) => Object.fromEntries(Object.values(nodes).map((node) => [node.id, node[key]]));
  return JSON.parse(JSON.stringify({
    state: inPage("state"), html: of("innerHTML"), text: of("textContent"), value: of("value"), max: nodes.at.max,
    scroll: nodes.sum.scrollTop, lang: document.documentElement.lang, title: document.title, running: !!tick, seen, pause, prevented, aria: [nodes.at.ariaLabel, nodes.at.ariaValueText],
    focused: focused.at(-1), said: Object.fromEntries(Object.entries(said).map(([key, node]) => [key, node.textContent])),
  }));
}

script("data");
script("networks");
if (texts) {
  console.log(JSON.stringify(compute()));
} else {
  script("page");
  const views = [shown()]; // as it opens
  for (const [name, ...values] of actions) {
    DO[name](...values);
    views.push(shown());
  }
  console.log(JSON.stringify(views));
}
