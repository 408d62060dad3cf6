/** What the command line needs to write contracts. */
export { contractModule, GENERATED_MARK } from "./contract_module.ts";
