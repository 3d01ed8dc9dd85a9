import { beforeEach, describe, expect, it } from "vitest";
import { createProgress } from "./progress.js";

describe("createProgress", () => {
  let written: string;

  beforeEach(() => {
    written = "";
  });

  const on = (isTTY: boolean) =>
    createProgress({
      quiet: false,
      stream: {
        isTTY,
        columns: 20,
        write: (text: string | Uint8Array) => {
          written += String(text);
          return true;
        },
      },
    });

  it("leaves the terminal's line to what comes next once a step is over, however it ended", () => {
    const { show } = on(true);
    show({ step: "s", state: "started", message: "first" });
    show({ step: "s", state: "skipped", message: "was there" });
    show({ step: "t", state: "failed", message: "broke" });
    expect(written).toBe("… first\r\x1b[2K= was there\n✗ broke\n");
  });

  it("takes a passing line away before something else is written", () => {
    const { show, clear } = on(true);
    show({ step: "s", state: "advanced", message: "x".repeat(50) });
    clear();
    clear();
    expect(written).toBe(`· ${"x".repeat(17)}\r\x1b[2K`);
  });

  it("tells whole lines where there is no terminal, and none of what is only begun", () => {
    const { show } = on(false);
    show({ step: "s", state: "started", message: "first" });
    show({ step: "s", state: "done", message: "second" });
    expect(written).toBe("✓ second\n");
  });

  it("tells a step that advances without a new word once", () => {
    const { show } = on(false);
    for (let done = 0; done < 3; done++) show({ step: "s", state: "advanced", message: "loading it", done });
    show({ step: "s", state: "done", message: "loaded it" });
    expect(written).toBe("· loading it\n✓ loaded it\n");
  });
});
