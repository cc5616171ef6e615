// The detail pane: a title with its actions, tabs, and the content of the tab that is chosen.
import type { SourceLocation } from "../../src/protocol/traffic.ts";
import { curlCommand } from "./curl.ts";
import { tabsOf, type Subject } from "./detail-tabs.ts";
import { element, fill, setAttribute } from "./dom.ts";
import { icon, type IconName } from "./icons.ts";
import type { Details, Inspected } from "./inspection.ts";
import { noteElement } from "./properties.ts";
import * as facts from "./row-facts.ts";
import type { Entry } from "./row-store.ts";
import type { TabId } from "./saved-state.ts";

export interface DetailEvents {
  close(): void;
  copy(text: string): void;
  openSource(source: SourceLocation): void;
  /** Puts a text into the filter box. */
  filter(text: string): void;
  tab(tab: TabId): void;
}

export class Detail {
  readonly element: HTMLElement;
  readonly #events: DetailEvents;
  readonly #title = element("div", { class: "detail-title" });
  readonly #copyCurl: HTMLButtonElement;
  readonly #copyBody: HTMLButtonElement;
  readonly #copyFacts: HTMLButtonElement;
  /** What copying did, said once and to screen readers too. */
  readonly #outcome = element("div", { class: "detail-outcome", role: "status" });
  readonly #tabList = element("div", { class: "tabs", role: "tablist", "aria-label": "Details" });
  readonly #panel = element("div", { class: "tab-panel", role: "tabpanel", id: "detail-panel" });
  #subject: Subject | null = null;
  /** What is shown, to draw it only when that changes. */
  #shown: unknown[] = [];
  #tab: TabId = "headers";

  constructor(events: DetailEvents) {
    this.#events = events;
    this.#copyCurl = action("terminal", "Copy as cURL", () => {
      this.#onCopyCurl();
    });
    this.#copyBody = action("copy", "Copy response body", () => {
      this.#onCopyBody();
    });
    this.#copyFacts = action("copy", "Copy as JSON", () => {
      this.#onCopyFacts();
    });
    const close = action("close", "Close (Escape)", () => {
      events.close();
    });
    this.element = element(
      "section",
      { class: "detail", "aria-label": "Details" },
      element(
        "div",
        { class: "detail-head" },
        this.#title,
        this.#copyCurl,
        this.#copyBody,
        this.#copyFacts,
        close,
      ),
      this.#tabList,
      this.#outcome,
      this.#panel,
    );
    this.#tabList.addEventListener("keydown", (event) => {
      this.#onTabKey(event);
    });
  }

  /** Shows a row; call again when its details arrive or it goes on. */
  show(inspected: Inspected, tab: TabId): void {
    const { entry, details, decryptedCount } = inspected;
    const toShow = [entry.row, details, tab, decryptedCount];
    if (toShow.every((part, index) => part === this.#shown[index])) return;
    this.#shown = toShow;
    const other = this.#subject?.entry !== entry;
    const scrollTop = this.#panel.scrollTop;
    this.#subject = {
      ...inspected,
      openSource: (source) => {
        this.#events.openSource(source);
      },
      filter: (text) => {
        this.#events.filter(text);
      },
    };
    this.#tab = tab;
    if (other) fill(this.#outcome);
    this.#showTitle(entry);
    this.#showActions(details);
    this.#showTabs();
    this.#panel.scrollTop = other ? 0 : scrollTop;
  }

  #showTitle({ row }: Entry): void {
    const heading =
      row.type === "exchange" ? row.method : row.type === "message" ? "Message" : facts.hostOf(row);
    const name = facts.pathOf(row) ?? facts.reasonOf(row) ?? "not known";
    setAttribute(this.#title, "title", (row.type === "exchange" ? facts.urlOf(row) : null) ?? name);
    setAttribute(this.#title, "data-outcome", facts.outcomeOf(row));
    fill(
      this.#title,
      element("span", { class: "detail-status", title: facts.statusTitle(row) }, facts.statusText(row)),
      element("strong", {}, heading ?? "–"),
      element("span", { class: "detail-name" }, name),
    );
  }

  #showActions(details: Details): void {
    const exchange = details?.type === "exchange" ? details : null;
    this.#copyCurl.disabled = exchange === null || curlCommand(exchange) === null;
    const body = exchange?.response?.body;
    this.#copyBody.disabled = (body?.text ?? body?.hex ?? "") === "";
    const type = this.#subject?.entry.row.type;
    this.#copyCurl.hidden = type !== "exchange";
    this.#copyBody.hidden = type !== "exchange";
    this.#copyFacts.hidden = type !== "connection";
  }

  #showTabs(): void {
    if (this.#subject === null) return;
    const tabs = tabsOf(this.#subject.entry.row);
    const chosen = tabs.find((tab) => tab.id === this.#tab) ?? tabs[0];
    const hadFocus = this.#tabList.contains(document.activeElement);
    fill(
      this.#tabList,
      ...tabs.map((tab) =>
        element(
          "button",
          {
            type: "button",
            role: "tab",
            id: `tab-${tab.id}`,
            "aria-selected": tab === chosen ? "true" : "false",
            "aria-controls": "detail-panel",
            tabindex: tab === chosen ? 0 : -1,
            click: () => {
              this.#events.tab(tab.id);
            },
          },
          tab.title,
        ),
      ),
    );
    setAttribute(this.#panel, "aria-labelledby", `tab-${chosen?.id ?? ""}`);
    fill(this.#panel, ...(chosen?.content(this.#subject) ?? []));
    if (hadFocus) this.#tabList.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
  }

  #onTabKey(event: KeyboardEvent): void {
    if (this.#subject === null) return;
    const tabs = tabsOf(this.#subject.entry.row);
    const at = tabs.findIndex((tab) => tab.id === this.#tab);
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: tabs.length - 1,
    };
    const step = steps[event.key];
    const tab = step === undefined ? undefined : tabs[(step + tabs.length) % tabs.length];
    if (tab === undefined) return;
    event.preventDefault();
    this.#events.tab(tab.id);
  }

  #onCopyCurl(): void {
    const details = this.#subject?.details;
    const command = details?.type === "exchange" ? curlCommand(details) : null;
    if (command === null) return;
    this.#events.copy(command.text);
    fill(
      this.#outcome,
      noteElement({ severity: "info", text: "The cURL command is on the clipboard." }),
      ...command.warnings.map((text) => noteElement({ severity: "warning", text })),
    );
  }

  #onCopyFacts(): void {
    const row = this.#subject?.entry.row;
    if (row === undefined) return;
    this.#events.copy(JSON.stringify(row, null, 2));
    fill(
      this.#outcome,
      noteElement({ severity: "info", text: "The facts of the connection are on the clipboard." }),
    );
  }

  #onCopyBody(): void {
    const details = this.#subject?.details;
    const body = details?.type === "exchange" ? details.response?.body : null;
    if (body == null) return;
    this.#events.copy(body.text ?? body.hex ?? "");
    const form = body.text === undefined ? " as hex digits" : "";
    fill(
      this.#outcome,
      noteElement({ severity: "info", text: `The response body is on the clipboard${form}.` }),
    );
  }
}

function action(name: IconName, title: string, click: () => void): HTMLButtonElement {
  return element(
    "button",
    { class: "icon-button", type: "button", title, "aria-label": title, click },
    icon(name),
  );
}
