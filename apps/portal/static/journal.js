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
// A strip of tabs shows the one that is open.
for (const tab of document.querySelectorAll(".tabs [aria-current], .sections [aria-current]")) {
  const strip = tab.parentElement;
  strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
}

const form = document.querySelector(".lesson-page");
if (form) {
  const least = Number(form.dataset.markMin);
  const save = form.querySelector(".bar button");
  const told = form.querySelector(".told");
  // What was not written stays told while the next keys are pressed: a run of digits goes on faster than anybody reads.
  const REFUSAL_MS = 12000;
  let refusal = "";
  let forgetting = 0;
  const say = (text) => {
    told.textContent = text;
    // The bar grows with what it says, and must not cover the field it speaks of.
    if (document.activeElement.dataset.column) document.activeElement.scrollIntoView({ block: "nearest" });
  };
  const tell = (news) => say([refusal, news].filter(Boolean).join(" "));
  const refuse = (text) => {
    refusal = text;
    clearTimeout(forgetting);
    forgetting = setTimeout(() => {
      if (told.textContent === refusal) say("");
      refusal = "";
    }, REFUSAL_MS);
    tell("");
  };
  const nameOf = (input) => input.getAttribute("aria-label").split(",")[0];

  // Only what can stand in a cell moves on: a sign that cannot must never push the next one to another student.
  const columnOf = (input) => [...form.querySelectorAll(`input[data-column="${input.dataset.column}"]`)];
  const move = (input, step) => {
    const inputs = columnOf(input);
    const next = inputs[inputs.indexOf(input) + step];
    if (next) next.focus();
    else if (step > 0) save.focus();
  };
  const moveAside = (input, step) => {
    const inputs = [...input.closest("td").querySelectorAll("input[data-column]")];
    const next = inputs[inputs.indexOf(input) + step];
    if (next) next.focus();
  };
  // Writes one sign into a cell of a line; answers why it was not written, or what is to be said of it.
  const put = (input, sign) => {
    const letter = sign.toLowerCase();
    const code = input.closest("tr").querySelector(`input[data-letter="${sign === " " ? "✓" : letter}"]`);
    if (/^[1-5]$/.test(sign) && Number(sign) >= least) {
      if (input.dataset.stored && input.value === input.dataset.stored) {
        return { why: `здесь уже стоит ${input.value}. Чтобы заменить отметку, сначала сотрите её (Backspace).` };
      }
      input.value = sign;
      return { news: "" };
    }
    if (/^[а-яё ]$/.test(letter) && code) {
      code.checked = true;
      return { news: `${nameOf(input)}: ${code.closest("label").title}.` };
    }
    if (letter === "б") return { why: "болезнь (Б) отмечает классный руководитель; у вас — У, по уважительной причине." };
    if (/^[1-5]?[-+–−]$/.test(sign)) return { why: `«${sign}» не записан: плюсов и минусов в журнале нет, отметка — целое число.` };
    return { why: `«${sign}» — не отметка. Подойдут числа от ${least} до 5 и буквы посещаемости.` };
  };
  const type = (input, sign) => {
    const { why, news } = put(input, sign);
    if (why) {
      refuse(`${nameOf(input)}: ${why}`);
      return;
    }
    tell(news);
    show();
    move(input, 1);
  };
  // A column that was copied goes down the class, a line to a student, by the rules of a key; an empty line passes one over.
  const paste = (input, text) => {
    const column = columnOf(input);
    const inputs = column.slice(column.indexOf(input));
    const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
    const amiss = [];
    let written = 0;
    lines.slice(0, inputs.length).forEach((line, number) => {
      const slots = [...inputs[number].closest("td").querySelectorAll("input[data-column]")];
      const first = slots.indexOf(inputs[number]);
      line.split("\t").forEach((part, aside) => {
        const sign = part.trim();
        const slot = slots[first + aside];
        if (!sign || (slot && slot.value === sign)) return;
        if (!slot || put(slot, sign).why) amiss.push(`${nameOf(inputs[number])} «${sign}»`);
        else written += 1;
      });
    });
    if (lines.length > inputs.length) amiss.push(`лишних строк: ${lines.length - inputs.length}`);
    show();
    if (amiss.length) refuse(`Вставлено: ${written}. Не подошло: ${amiss.join(", ")}.`);
    else tell(`Вставлено: ${written}.`);
    inputs[Math.min(lines.length, inputs.length) - 1].focus();
  };
  form.addEventListener("paste", (event) => {
    if (!event.target.dataset.column) return;
    event.preventDefault();
    paste(event.target, event.clipboardData.getData("text/plain"));
  });
  form.addEventListener("beforeinput", (event) => {
    if (!event.target.dataset.column || !event.data || event.isComposing) return;
    event.preventDefault();
    // One key, one sign.
    type(event.target, [...event.data][0]);
  });
  form.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!input.dataset.column) return;
    const act = {
      ArrowDown: () => move(input, 1),
      Enter: () => move(input, 1),
      ArrowUp: () => move(input, -1),
      ArrowLeft: () => moveAside(input, -1),
      ArrowRight: () => moveAside(input, 1),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  form.addEventListener("focusin", (event) => {
    if (event.target.dataset.column) event.target.select();
  });

  // What differs from the journal is tinted and counted before it is saved.
  const counted = (number, one, few, many) => {
    const tens = number % 100;
    const word = tens > 10 && tens < 15 ? many : [many, one, few, few, few][number % 10] || many;
    return `${number} ${word}`;
  };
  const show = () => {
    let marks = 0;
    let replaced = 0;
    let absences = 0;
    for (const input of form.querySelectorAll("input[data-column]")) {
      const isChanged = input.value !== input.dataset.stored;
      input.classList.toggle("changed", isChanged);
      input.title = isChanged && input.dataset.stored ? `было ${input.dataset.stored}` : "";
      marks += isChanged;
      replaced += isChanged && input.dataset.stored !== "";
    }
    for (const codes of form.querySelectorAll(".codes")) {
      const code = codes.querySelector(":checked");
      const isChanged = code !== null && !code.hasAttribute("data-stored");
      codes.classList.toggle("changed", isChanged);
      absences += isChanged;
    }
    const parts = [];
    if (marks) parts.push(counted(marks, "отметка", "отметки", "отметок") + (replaced ? ` (вместо прежних: ${replaced})` : ""));
    if (absences) parts.push(`посещаемость: ${absences}`);
    form.querySelector(".unsaved").textContent = parts.length ? `Ещё не сохранено: ${parts.join(", ")}` : "";
  };
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();

  // Nothing typed is left behind without a question.
  let isLeaving = false;
  const isChanged = (field) => {
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") {
      const first = [...field.options].findIndex((option) => option.defaultSelected);
      return field.selectedIndex !== Math.max(first, 0);
    }
    return "defaultValue" in field && field.value !== field.defaultValue;
  };
  const isUnsaved = () => form.hasAttribute("data-unsaved") || [...form.elements].some(isChanged);
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && isUnsaved()) event.preventDefault();
  });
  window.addEventListener("pageshow", () => { isLeaving = false; });

  // Before the page is given up for the answer, the diary is asked whether it is there at all.
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isLeaving) return;
    isLeaving = true;
    tell("Сохраняется…");
    try {
      const answer = await fetch(form.dataset.probe, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new Error("away");
      form.submit();
    } catch {
      isLeaving = false;
      tell("Нет связи с дневником. Ничего не потеряно: всё набранное осталось на этой странице. Сохраните, когда связь вернётся.");
    }
  });
}
