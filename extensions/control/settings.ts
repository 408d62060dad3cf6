import type { Section, SettingTable } from "../../runtime/config/section.ts";

/** Settings of the control channel. */
export interface ControlSettings {
  /** Whether the process answers on the control channel. */
  readonly enabled: boolean;
  /** Whether it also obeys requests that change what it does. */
  readonly manage: boolean;
}

/**
 * Reads `control`, which is true, false or a mapping with `manage`.
 *
 * @throws {ConfigurationError} If the key has another value.
 */
export function controlSettings(at: Section): ControlSettings {
  const value = at.get("control");
  if (value === undefined || typeof value === "boolean") return { enabled: value ?? true, manage: false };
  if (typeof value !== "object" || Array.isArray(value)) {
    return at.refuse("control", "true, false or a mapping with manage");
  }
  const control = at.section("control")!;
  const manage = control.flag("manage") ?? false;
  control.refuseOthers();
  return { enabled: true, manage };
}

/** The settings that this file reads. */
export const CONTROL_SETTINGS: SettingTable = {
  control: { kind: "mapping", default: true, about: "false if the process answers nothing about itself" },
  "control.manage": {
    kind: "flag",
    default: false,
    about: "whether it obeys requests that change what it does",
  },
};
