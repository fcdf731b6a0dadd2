import { Base } from "./base.js";
import { seam } from "../wasm.js";

/**
 * A flag. If it is switched on and off at the same time, `t.ewFlag` ends on and `t.dwFlag` off, on all replicas.
 */
export class Flag extends Base<boolean> {
  /** Whether it is on. */
  get value(): boolean {
    return this.ask(seam.flag) === 1;
  }

  /** Switches it on. */
  enable(): void {
    this.set(true);
  }

  /** Switches it off. */
  disable(): void {
    this.set(false);
  }

  /** Switches it. Nothing is written if it is like that already. */
  set(on: boolean): void {
    this.edit((doc, handle) => seam.set_flag(doc, handle, on ? 1 : 0));
  }

  /** @internal */
  override make(): boolean {
    return this.value;
  }
}
