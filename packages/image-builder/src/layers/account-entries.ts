import type { Accounts } from "../inspected-base.js";
import { USER } from "../places.js";
import { type LayerEntry, textFile } from "./layer-entry.js";

/**
 * The user our images run as, added to those of the base: without an entry of its own `getpass.getuser()` raises and Spark finds no home.
 * And a directory anyone may write to, whose mode a tmpfs mounted there takes over.
 */
export function accountEntries({ passwd, group }: Accounts): LayerEntry[] {
  const { name, id, home } = USER;
  return [
    { kind: "directory", path: home.slice(1), mode: 0o1777 },
    textFile("etc/passwd", withAccount(passwd, id, `${name}:x:${id}:${id}::${home}:/usr/sbin/nologin`)),
    textFile("etc/group", withAccount(group, id, `${name}:x:${id}:`)),
  ];
}

/** A base that knows the number already keeps what it says. */
function withAccount(table: string, id: number, line: string): string {
  const lines = table.split("\n").filter((known) => known !== "");
  const isKnown = lines.some((known) => known.split(":")[2] === String(id));
  return `${[...lines, ...(isKnown ? [] : [line])].join("\n")}\n`;
}
