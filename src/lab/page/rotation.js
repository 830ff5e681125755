"use strict";
// The rotating pair: two sliders, a fast pair of values and a slow one.
{
  const figure = element("rotation");
  if (figure) {
    const frequencies = figure.dataset.frequencies.split(",").map(Number);
    const query = element("query-position");
    const key = element("key-position");
    const together = element("together");
    const slow = element("slow-pair");
    // The pairs as drawn in sections/rotation.html, in lengths of the circle's radius.
    const vectors = { query: [0.94, 0.342], key: [0.36, 0.771] };
    let distance = query.value - key.value;

    const turned = ([a, b], angle) => [a * Math.cos(angle) - b * Math.sin(angle), b * Math.cos(angle) + a * Math.sin(angle)];

    // Turns query and key of one plane and returns their dot product.
    function turn(plane, frequency) {
      const positions = { query: Number(query.value), key: Number(key.value) };
      const result = {};
      for (const name of ["query", "key"]) {
        const angle = positions[name] * frequency;
        result[name] = turned(vectors[name], angle);
        element(`${plane}-${name}`).setAttribute("transform", `rotate(${(-angle * 180) / Math.PI})`);
      }
      return result.query[0] * result.key[0] + result.query[1] * result.key[1];
    }

    function show() {
      element("query-at").textContent = query.value;
      element("key-at").textContent = key.value;
      for (const [plane, pair] of [["fast", 0], ["slow", Number(slow.value)]])
        element(`${plane}-score`).textContent = turn(plane, frequencies[pair]).toFixed(3).replace("-", "−");
      const now = query.value - key.value;
      element("rotation-says").textContent = together.checked
        ? `Distance ${now}: it stays, and so do the scores.`
        : `Distance ${now}.`.replace("-", "−");
    }

    // Keeps the distance while the box is ticked, within the sliders' ends.
    function move(moved, other, sign) {
      if (together.checked) {
        const least = Number(moved.min), greatest = Number(moved.max);
        const wish = Number(moved.value) + sign * distance;
        other.value = Math.min(greatest, Math.max(least, wish));
        moved.value = Number(other.value) - sign * distance;
      }
      distance = query.value - key.value;
      show();
    }

    query.addEventListener("input", () => move(query, key, -1));
    key.addEventListener("input", () => move(key, query, 1));
    together.addEventListener("change", show);
    slow.addEventListener("change", show);
    show();
  }
}
