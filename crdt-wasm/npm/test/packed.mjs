// The package as users get it: packed, and installed into a new project that has nothing else.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = new URL("..", import.meta.url).pathname;

/** Packs it into a folder; what npm says of the tarball. */
export function pack(folder) {
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: here, encoding: "utf8" }));
  return packed;
}

/** A new project with the tarball in it. `stop` removes it. */
export function newProject(name) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), `crdt-${name}-`)));
  const packed = pack(root);
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "project", type: "module", private: true }));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${packed.filename}`], { cwd: root });
  return {
    root,
    packed,
    write: (file, text) => writeFileSync(join(root, file), text),
    read: (file) => readFileSync(join(root, file), "utf8"),
    /** A program, whose complaints become the error. */
    run: (command, ...args) => execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    stop: () => rmSync(root, { recursive: true }),
  };
}
