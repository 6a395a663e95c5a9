// Comfort at the keyboard; every form works without it.
"use strict";

// The journal opens at its latest lessons, as a paper one opens where the ribbon lies.
const frame = document.querySelector(".grid-frame");
if (frame) {
  const held = frame.querySelectorAll("th.lesson:not(.planned)");
  const last = held[held.length - 1];
  const names = frame.querySelector(".corner");
  if (last) frame.scrollLeft = last.offsetLeft + last.offsetWidth * 3 - frame.clientWidth;
  if (last && names.offsetWidth > frame.clientWidth) frame.scrollLeft = last.offsetLeft;
}

// Digits go down the class list: a typed mark moves to the next student, arrows and Enter move without typing.
const form = document.querySelector(".class-form");
if (form) {
  const column = (input) => [...form.querySelectorAll(`input[data-column="${input.dataset.column}"]`)];
  const move = (input, step) => {
    const inputs = column(input);
    const next = inputs[inputs.indexOf(input) + step];
    if (next) next.focus();
  };
  form.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!input.dataset.column) return;
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      move(input, 1);
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      move(input, -1);
    }
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.dataset.column) event.target.select();
  });
  form.addEventListener("input", (event) => {
    const input = event.target;
    if (input.dataset.column && input.value.length === 1) move(input, 1);
  });
}
