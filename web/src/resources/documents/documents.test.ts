import { describe, expect, it } from "vitest";
import { folderOf, marked } from "./columns";
import { grantedTo } from "./shares";

describe("words around a hit", () => {
  it("takes the server's marks apart and keeps everything else as it is", () => {
    expect(marked("a \u0002restore\u0003 of <b> \u0002backups\u0003")).toEqual([
      { text: "a ", hit: false },
      { text: "restore", hit: true },
      { text: " of <b> ", hit: false },
      { text: "backups", hit: true },
    ]);
    expect(marked("\u0003 no mark")).toEqual([{ text: "\u0003 no mark", hit: false }]);
    expect(marked("")).toEqual([]);
  });
});

describe("places and people", () => {
  it("names the folder, and the top as a slash", () => {
    expect(["/a/b/c.txt", "/c.txt"].map(folderOf)).toEqual(["/a/b", "/"]);
  });
  it("names guests by address, else by name", () => {
    expect(grantedTo([{ name: "Robin", email: "r@x.example" }, { name: "Kim" }, {}, 3])).toBe("r@x.example, Kim, somebody");
    expect(grantedTo(null)).toBe("");
  });
});
