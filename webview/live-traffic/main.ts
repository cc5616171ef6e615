// Starts the Live traffic view in the page that the extension made.
import { App } from "./app.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("start Live traffic: the page has no element with the id app");
new App(root);
