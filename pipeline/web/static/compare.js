// The slider shows its comparison at once. Without this script it is a form with a button.
"use strict";
(() => {
  const slider = document.getElementById("step");
  if (!slider) return;
  const form = slider.form;
  form.classList.add("live");
  let waiting = 0, asked = 0;
  const show = async () => {
    const mine = ++asked;
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    const compared = document.getElementById("compared");
    compared.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, {credentials: "same-origin"});
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      const fresh = document.importNode(page.getElementById("compared"), true);
      compared.replaceWith(fresh);
      slider.setAttribute("aria-valuetext", fresh.dataset.words);
      for (const select of document.querySelectorAll(".pair select"))
        select.value = page.querySelector(`.pair select[name=${select.name}]`).value;
      history.replaceState(null, "", address);
    } catch {
      form.submit();
    }
  };
  slider.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 120); });
  form.addEventListener("submit", event => { event.preventDefault(); clearTimeout(waiting); show(); });
})();
