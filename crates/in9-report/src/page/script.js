// The only things that a style sheet cannot do: copy a table, and show everything on paper.
for (const button of document.querySelectorAll(".take button")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: copy it with the keyboard";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not(.take)")) part.open = true;
});
