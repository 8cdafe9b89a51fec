// Buttons that copy the citation beside them. Without this script they are not shown, and the text can be selected.
"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  const words = button.innerHTML;
  button.addEventListener("click", async () => {
    const cited = button.parentElement.querySelector("cite");
    let copied = false;
    try {
      await navigator.clipboard.writeText(cited.textContent);
      copied = true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(cited);
      const chosen = getSelection();
      chosen.removeAllRanges();
      chosen.addRange(range);
      copied = document.execCommand("copy");
    }
    button.textContent = copied ? "Copied" : "Selected";
    setTimeout(() => { button.innerHTML = words; }, 2000);
  });
}
