"use strict";
// Brings a page to life: tables that sort, curves with values on hover, a fabric that opens. All data is in the page.
const data = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const ROUTES = { adaptive: "#0072B2", ecmp: "#B87700", dmodk: "#B87700" };
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const make = (tag, text, attributes = {}) => {
  const element = document.createElement(tag);
  if (text !== "") element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const count = (number) => number.toLocaleString("en-US");

for (const table of document.querySelectorAll("table.sorts")) {
  new Tablesort(table);
  table.classList.add("live");
}
for (const hint of document.querySelectorAll(".script")) hint.hidden = false;

// A sum in the unit that its range asks for, as exactly as its neighbours do.
function money(value, all, sign) {
  const [unit, word] = Math.max(...all) < 2e6 ? [1e3, "k"] : Math.max(...all) < 2e9 ? [1e6, "M"] : [1e9, "G"];
  return `${sign}${(value / unit).toLocaleString("en-US", { maximumFractionDigits: 3 })} ${word}`;
}

// Curves. A value on the x axis is given by its text; the legend shows what the pointer is at.
const charts = [];
function plot(place) {
  const curve = data[place.dataset.design].curves.find((one) => one.key === place.dataset.curve);
  const names = Object.keys(curve.series);
  const axis = { stroke: () => css("--ink"), grid: { stroke: () => css("--pale") }, ticks: { stroke: () => css("--hair") } };
  const text = (value) => { const at = curve.values.indexOf(value); return at < 0 ? "" : curve.texts[at]; };
  const series = names.map((name, number) => ({
    label: name, stroke: ROUTES[name] || COLOURS[number], width: 2, ...(name === "ecmp" || name === "dmodk" ? { dash: [6, 3] } : {}), points: { show: true, size: 7 },
    ...(curve.points ? { paths: () => null } : {}),
    value: (_, value) => (value == null ? "-" : `${value.toFixed(1)} ${curve.points ? "ms" : "GB/s"}`),
  }));
  const shown = (values) => values.map((value) => text(value) || "");
  const chart = new uPlot({
    width: Math.max(place.clientWidth, 260), height: 280,
    scales: { x: { time: false, ...(curve.log ? { distr: 3, log: 2 } : { range: (_, low, high) => [low - 0.1 * (high - low), high + 0.1 * (high - low)] }) }, y: { range: (_, low, high) => [0, high * 1.08] } },
    axes: [
      { ...axis, label: curve.x, labelSize: 18, filter: (_, splits) => splits, splits: curve.points ? undefined : () => curve.values, size: 34, space: 70,
        values: curve.points ? (_, values) => values.map((value) => money(value, curve.values, curve.sign)) : (_, values) => shown(values).map((word, at) => (at % Math.ceil(values.length / 6) ? "" : word.split(" GPUs")[0])) },
      { ...axis, label: curve.y, labelSize: 18, size: 56 },
    ],
    series: [{ label: curve.x, value: (_, value) => (value == null ? "-" : text(value)) }, ...series],
    cursor: { focus: { prox: 30 } },
  }, [curve.values, ...names.map((name) => curve.series[name])], place);
  charts.push([chart, place]);
}
document.querySelectorAll(".chart").forEach(plot);
addEventListener("resize", () => charts.forEach(([chart, place]) => chart.setSize({ width: Math.max(place.clientWidth, 260), height: 280 })));

// On paper all is light, and every value is open.
let before = null;
addEventListener("beforeprint", () => {
  before = [document.documentElement.dataset.theme || "", [...document.querySelectorAll("figure details:not([open])")]];
  document.documentElement.dataset.theme = "light";
  before[1].forEach((each) => { each.open = true; });
  charts.forEach(([chart]) => chart.redraw());
});
addEventListener("afterprint", () => {
  if (!before) return;
  if (before[0]) document.documentElement.dataset.theme = before[0];
  else delete document.documentElement.dataset.theme;
  before[1].forEach((each) => { each.open = false; });
  charts.forEach(([chart]) => chart.redraw());
});

// The fabric: a graph for the eye, and beside it a table with the same, which the keyboard opens.
const ROWS = 40;
class Explorer {
  constructor(place) {
    this.place = place;
    this.views = data[place.dataset.design].views;
    this.find = (name) => place.querySelector(name);
    place.hidden = false;
    this.open("fabric");
  }
  open(key) {
    const view = this.views[key];
    const focused = this.place.contains(document.activeElement);
    this.key = key;
    this.find(".where").textContent = view.title;
    this.find(".roles").replaceChildren();
    this.crumbs(key);
    this.find(".graph").hidden = !view.nodes;
    if (view.nodes) this.draw(view);
    this.tell(view);
    if (focused) this.find(".crumbs [aria-current]").focus();
  }
  crumbs(key) {
    const path = [];
    for (let at = key; at; at = this.views[at].above) path.unshift(at);
    const buttons = path.map((each) => {
      const word = each.startsWith("switch:") ? each.slice(7) : each;
      const button = make("button", word, { type: "button", ...(each === key ? { "aria-current": "location" } : {}) });
      button.addEventListener("click", () => this.open(each));
      return button;
    });
    const inside = Object.keys(this.views).filter((each) => this.views[each].above === key && this.views[each].nodes).map((each) => {
      const button = make("button", `open the ${each === "pod" || each === "unit" ? `first ${each}` : `${each}, partly filled`}`, { type: "button" });
      button.addEventListener("click", () => this.open(each));
      return button;
    });
    this.find(".crumbs").replaceChildren(...buttons);
    this.find(".inside").replaceChildren(...inside);
  }
  draw(view) {
    const roles = [...new Set(view.nodes.map((node) => node[1]))];
    const spread = (at) => Math.max(...view.nodes.map((node) => node[at])) - Math.min(...view.nodes.map((node) => node[at])) + 1;
    const few = view.nodes.length < 30;
    const turned = !few && spread(5) > 2 * spread(4);
    const [across, up] = turned ? [5, 4] : [4, 5];
    const wide = spread(across);
    const tall = spread(up);
    const step = { x: 80, y: Math.max(80, (0.35 * 80 * wide) / tall) };
    const nodes = view.nodes.map((node, id) => ({
      data: { id: `n${id}`, label: node[7], colour: node[1] === "server" ? "#5B7083" : COLOURS[(roles.indexOf(node[1]) + (roles[0] === "server" ? 5 : 0)) % 6], opens: node[6], size: node[2] > 1 ? 54 : 30 },
      position: { x: node[across] * step.x, y: (turned ? 1 : -1) * node[up] * step.y },
    }));
    let loops = 0;
    const edges = view.edges.map((edge, id) => ({
      data: { id: `e${id}`, source: `n${edge[0]}`, target: `n${edge[1]}`, turn: edge[0] === edge[1] ? 36 * loops++ - 135 : 0,
        label: few ? `${edge[0] === edge[1] ? `${edge[2]}: ` : ""}${count(edge[3])} links` : "" },
    }));
    this.legend(nodes, view);
    if (this.graph) this.graph.destroy();
    this.graph = cytoscape({
      container: this.find(".graph"), elements: { nodes, edges }, layout: { name: "preset", padding: 24 },
      minZoom: 0.02, maxZoom: 5, autoungrabify: true, textureOnViewport: edges.length > 500,
      style: [
        { selector: "node", style: { shape: "round-rectangle", width: "data(size)", height: 26, "background-color": "data(colour)", label: "data(label)", color: css("--ink"), "font-size": few ? 15 : 11, "text-valign": few ? "center" : "bottom", "text-halign": few ? "right" : "center", "text-margin-x": few ? 8 : 0, "text-margin-y": few ? 0 : 3, "min-zoomed-font-size": 7 } },
        { selector: "edge", style: { width: few ? 2.5 : 1, "line-color": css("--line"), opacity: few ? 1 : 0.6, label: "data(label)", color: css("--grey"), "font-size": 13, "text-background-color": css("--plate"), "text-background-opacity": 1, "text-background-padding": 3, "curve-style": few ? "bezier" : "haystack" } },
        { selector: "edge:loop", style: { "curve-style": "bezier", "loop-direction": (edge) => `${edge.data("turn")}deg`, "loop-sweep": "35deg", "control-point-step-size": 110 } },
      ],
    });
    if (this.graph.zoom() > 1.4) this.graph.zoom(1.4).center();
    this.graph.on("tap", "node", (event) => event.target.data("opens") && this.open(event.target.data("opens")));
  }
  legend(nodes, view) {
    const colours = new Map(view.nodes.map((node, id) => [node[1], nodes[id].data.colour]));
    this.find(".roles").replaceChildren(...[...colours].reverse().map(([role, colour]) => {
      const word = make("span", role, { class: "role" });
      word.style.borderColor = colour;
      return word;
    }));
  }
  tell(view) {
    const table = this.find(".shown");
    const heads = view.nodes ? ["device", "count", "model", ""] : ["port", "bundle", "peer", "peer port"];
    const head = make("thead", "");
    const line = make("tr", "");
    heads.forEach((text) => line.append(make("th", text, { scope: "col" })));
    head.append(line);
    const body = make("tbody", "");
    const roles = view.nodes ? [...new Set(view.nodes.map((node) => node[1]))].reverse() : [];
    const rows = view.nodes ? roles.flatMap((role) => view.nodes.filter((node) => node[1] === role)) : view.ports;
    rows.forEach((row, number) => body.append(this.row(view, row, number)));
    table.replaceChildren(make("caption", view.title), head, body);
    if (body.rows.length > ROWS) this.foot(table, body);
  }
  row(view, row, number) {
    const line = make("tr", "", number < ROWS ? {} : { class: "folded" });
    const cells = view.nodes ? [row[0], count(row[2]), row[3]] : row.map(String);
    cells.forEach((text) => line.append(make("td", text)));
    if (view.nodes) {
      const cell = make("td", "");
      if (row[6]) {
        const name = row[6].startsWith("switch:") ? row[6].slice(7) : row[6];
        const word = row[6] === `switch:${row[0]}` ? "open" : row[6] === name ? `open a ${name}` : "open one like it";
        const button = make("button", word, { type: "button", "aria-label": `${word}: ${name}, from ${row[0]}` });
        button.addEventListener("click", () => this.open(row[6]));
        cell.append(button);
      }
      line.append(cell);
    }
    return line;
  }
  foot(table, body) {
    const button = make("button", `show all ${count(body.rows.length)} rows`, { type: "button" });
    const foot = make("tfoot", "");
    const line = make("tr", "");
    const cell = make("td", "", { colspan: "4" });
    button.addEventListener("click", () => {
      const folded = [...body.querySelectorAll(".folded")];
      folded.forEach((each) => each.classList.remove("folded"));
      const next = folded.map((each) => each.querySelector("button")).find(Boolean);
      foot.remove();
      if (next) next.focus();
    });
    cell.append(button); line.append(cell); foot.append(line); table.append(foot);
  }
}

// The floor: a plan whose racks open into devices, these into ports, and ports into the device at the far end.
class Floor {
  constructor(place) {
    this.place = place;
    Object.assign(this, data[place.dataset.design].floor);
    this.table = place.querySelector(".inside-rack");
    this.ends = this.devices.map(() => []);
    this.links.forEach(([a, port, b, far, metres]) => {
      this.ends[a].push([this.ports[port], b, this.ports[far], metres]);
      this.ends[b].push([this.ports[far], a, this.ports[port], metres]);
    });
    place.hidden = false;
    this.plan(place.querySelector(".plan"));
    this.openRack(0);
  }
  plan(svg) {
    const shape = (tag, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      svg.append(element);
      return element;
    };
    const [left, top] = [1, 2].map((at) => Math.min(...this.racks.map((rack) => rack[at])) - 1);
    const [right, foot] = [1, 2].map((at) => Math.max(...this.racks.map((rack) => rack[at])) + 1);
    svg.setAttribute("viewBox", `${left} ${top} ${right - left} ${foot - top}`);
    this.boxes = this.racks.map(([name, x, y, width, fill], number) => {
      const box = shape("rect", { x: x - 0.46 * width, y: y - 0.6, width: 0.92 * width, height: 1.2, fill, tabindex: 0, role: "button", "aria-label": `rack ${name}` });
      const open = () => this.openRack(number);
      box.addEventListener("click", open);
      box.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); } });
      box.append(document.createElementNS("http://www.w3.org/2000/svg", "title"));
      box.firstChild.textContent = name;
      if (this.racks.length <= 200) {
        const dark = [1, 3, 5].reduce((sum, at) => sum + parseInt(fill.slice(at, at + 2), 16), 0) < 360;
        const text = { x, y: y + 0.04, "font-size": (1.3 * width) / name.length, "text-anchor": "middle", fill: dark ? "#fff" : "#000", "pointer-events": "none", "aria-hidden": true };
        shape("text", text).textContent = name;
      }
      return box;
    });
  }
  openRack(rack, device = null) {
    this.boxes.forEach((box, number) => box.classList.toggle("chosen", number === rack));
    const name = this.racks[rack][0];
    const inside = this.devices.map((each, number) => [number, ...each]).filter((each) => each[2] === rack).sort((a, b) => b[3] - a[3]);
    const crumbs = [this.button(`rack ${name}`, () => this.openRack(rack))];
    if (device !== null) crumbs.push(this.button(this.devices[device][0], () => this.openDevice(device)));
    crumbs[crumbs.length - 1].setAttribute("aria-current", "location");
    this.place.querySelector(".trail").replaceChildren(...crumbs);
    if (device !== null) return;
    this.fill(`Rack ${name}: ${count(inside.length)} ${inside.length === 1 ? "device" : "devices"}`, ["rack unit", "device", "height", "cables", ""], inside.map(([number, text, , unit, height]) =>
      [`U${unit}`, text, `${height}U`, count(this.ends[number].length), this.button("ports", () => this.openDevice(number), `ports of ${text}`)]));
  }
  openDevice(device) {
    const [name, rack, unit] = this.devices[device];
    this.openRack(rack, device);
    this.fill(`${name}, rack ${this.racks[rack][0]}, U${unit}`, ["port", "far end", "rack and unit", "far port", "length", ""], this.ends[device].map(([port, far, there, metres]) => {
      const [other, place, height] = this.devices[far];
      return [port, other, `${this.racks[place][0]}-U${height}`, there, `${metres} m`, this.button("open", () => this.openDevice(far), `open ${other}`)];
    }));
  }
  button(text, action, label = text) {
    const button = make("button", text, { type: "button", "aria-label": label });
    button.addEventListener("click", action);
    return button;
  }
  fill(title, heads, rows) {
    const [head, body, line] = [make("thead", ""), make("tbody", ""), make("tr", "")];
    heads.forEach((text) => line.append(text ? make("th", text, { scope: "col" }) : make("td", "")));
    head.append(line);
    rows.forEach((cells) => {
      const row = make("tr", "");
      cells.forEach((cell) => { const td = make("td", typeof cell === "string" ? cell : ""); if (typeof cell !== "string") td.append(cell); row.append(td); });
      body.append(row);
    });
    this.table.replaceChildren(make("caption", title), head, body);
  }
}
const explorers = [];
addEventListener("load", () => setTimeout(() => {
  for (const place of document.querySelectorAll(".explorer")) explorers.push(new Explorer(place));
  for (const place of document.querySelectorAll(".floor")) new Floor(place);
}));

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  charts.forEach(([chart]) => chart.redraw());
  explorers.forEach((each) => each.open(each.key));
});
