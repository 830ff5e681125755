"use strict";
document.documentElement.classList.add("scripted");

const element = (id) => document.getElementById(id);

// A figure as the page's prose has it: three significant digits.
function figureText(value) {
  if (value === null || value === undefined) return "none";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  const text = magnitude < 1e-3 ? magnitude.toExponential(1).replace("e-", "×10^−") : magnitude.toPrecision(3);
  return (value < 0 ? "−" : "") + text;
}

// Marks the section that is being read in the table of contents.
{
  const links = new Map();
  for (const link of document.querySelectorAll(".contents a")) links.set(link.hash.slice(1), link);
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const [id, link] of links) {
        if (id === entry.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > section")) observer.observe(section);
}

// On a phone the contents would push the story away.
if (window.matchMedia("(max-width: 68rem)").matches) document.querySelector(".contents details").open = false;
