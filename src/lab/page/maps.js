"use strict";
// The maps of single heads: choosing another one, and reading a cell by mouse or keyboard.
{
  const comparison = JSON.parse(element("comparison").textContent);
  const rows = comparison.rows.filter((row) => row.layers?.[0]?.heads?.[0]?.attention);
  const parts = {
    attention: "Attention", content_scores: "Content score", rotary_scores: "Rotary score", bias: "Bias",
  };

  // As row_label() in lab/report_data.cpp.
  const label = (row) => {
    if (!row.norm) return row.encoding;
    return row.encoding + (row.norm === "none" ? ", no norm" : `, ${row.norm} norm`);
  };
  const find = (name, mask) => rows.find((row) => label(row) === name && row.mask === mask);

  // Options are texts or [value, text]; keeps the choice if it is still there.
  function setOptions(select, options) {
    const before = select.value;
    select.replaceChildren(...options.map((option) => new Option(...[option].flat().reverse())));
    if ([...select.options].some((option) => option.value === before)) select.value = before;
  }
  const indices = (list) => list.map((_, index) => String(index));

  // One table of lab/page with a head's matrix in it. `says` is where a cell's figures are read out.
  class HeadMap {
    constructor(table, says) {
      this.table = table;
      this.says = says;
      this.labels = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
      this.at = [0, 0];
      const large = this.labels.length > 20;
      table.classList.toggle("large", large);
      this.numbers = this.labels.length <= 12;
      for (const position of comparison.positions) {
        table.tHead.rows[0].cells[position + 1]?.classList.add("word");
        table.tBodies[0].rows[position]?.cells[0].classList.add("word");
      }
      table.setAttribute("role", "grid");
      table.addEventListener("mouseover", (event) => this.read(event.target.closest("td")));
      table.addEventListener("focusin", (event) => this.read(event.target.closest("td")));
      table.addEventListener("click", (event) => event.target.closest("td")?.focus());
      table.addEventListener("keydown", (event) => this.step(event));
    }

    cell(query, key) {
      return this.table.tBodies[0].rows[query]?.cells[key + 1];
    }

    show(row, layer, head, part) {
      this.row = row;
      this.head = row.layers[layer].heads[head];
      this.name = `${label(row)}, ${row.mask} mask, layer ${layer}, head ${head}`;
      const matrix = this.head[part];
      const greatest = part === "attention" ? 1 : Math.max(...matrix.flat().map(Math.abs)) || 1;
      this.table.dataset.part = part;
      this.table.setAttribute("aria-label", `${parts[part]}: ${this.name}`);
      for (let query = 0; query < matrix.length; ++query)
        for (let key = 0; key < matrix.length; ++key) this.paint(query, key, matrix[query][key], greatest, part);
      this.cell(...this.at).tabIndex = 0;
    }

    paint(query, key, value, greatest, part) {
      const cell = this.cell(query, key);
      const hidden = this.row.mask === "causal" && key > query;
      const shade = value / greatest;
      cell.className = hidden ? "hidden" : shade < 0 ? "below" : "above";
      cell.classList.toggle("strong", !hidden && Math.abs(shade) > 0.5);
      cell.style.setProperty("--shade", `${Math.abs(shade) * 100}%`);
      cell.tabIndex = -1;
      const text = part === "attention" ? (value * 100).toFixed(0) : value.toFixed(1).replace("-0.0", "0.0").replace("-", "−");
      cell.textContent = hidden || !this.numbers ? "" : text;
    }

    place(cell) {
      return [cell.parentElement.sectionRowIndex, cell.cellIndex - 1];
    }

    read(cell) {
      if (!cell || cell.cellIndex === 0) return;
      const [query, key] = this.place(cell);
      const words = `Query “${this.labels[query]}” (${query}), key “${this.labels[key]}” (${key})`;
      if (cell.classList.contains("hidden")) {
        this.says.textContent = `${words}: hidden by the causal mask.`;
        return;
      }
      const figures = Object.entries(parts)
        .filter(([part]) => this.head[part])
        .map(([part, name]) => `${name.toLowerCase()} ${figureText(this.head[part][query][key])}`);
      this.says.textContent = `${words}: ${figures.join(", ")}.`;
    }

    step(event) {
      const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
      const move = moves[event.key];
      const from = event.target.closest("td");
      if (!move || !from) return;
      const [query, key] = this.place(from);
      const next = this.cell(query + move[0], key + move[1]);
      event.preventDefault();
      if (!next || key + move[1] < 0) return;
      from.tabIndex = -1;
      next.tabIndex = 0;
      this.at = this.place(next);
      next.focus();
    }
  }

  const explorer = element("explorer");
  if (explorer) {
    const map = new HeadMap(explorer.querySelector("table"), element("map-says"));
    const [encoding, mask, layer, head, part] =
      ["encoding", "mask", "layer", "head", "part"].map((name) => element(`map-${name}`));

    const update = () => {
      setOptions(mask, rows.filter((row) => label(row) === encoding.value).map((row) => row.mask));
      const row = find(encoding.value, mask.value);
      setOptions(layer, indices(row.layers));
      setOptions(head, indices(row.layers[layer.value].heads));
      const shown = row.layers[layer.value].heads[head.value];
      setOptions(part, Object.entries(parts).filter(([name]) => shown[name]));
      map.show(row, layer.value, head.value, part.value);
      element("map-says").textContent = `${part.selectedOptions[0].text}: ${map.name}.`;
    };
    setOptions(mask, rows.filter((row) => label(row) === encoding.value).map((row) => row.mask));
    if (find(encoding.value, "causal")) mask.value = "causal";
    for (const select of [encoding, mask, layer, head, part]) select.addEventListener("change", update);
    update();
  }

  const both = element("parts");
  if (both) {
    const decoupled = rows.filter((row) => row.encoding === "rope-decoupled");
    const row = decoupled.find((one) => one.mask === "causal") ?? decoupled[0];
    const maps = [...both.querySelectorAll("table")].map((table) => [new HeadMap(table, element("parts-says")), table.dataset.part]);
    const update = () => {
      for (const [map, part] of maps) map.show(row, element("parts-layer").value, element("parts-head").value, part);
    };
    for (const id of ["parts-layer", "parts-head"]) element(id).addEventListener("change", update);
    update();
  }
}
