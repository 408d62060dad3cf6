/**
 * Writes the contracts of services as modules: what the command `enoki client` does, for programs.
 *
 * @module
 */
import "./host_half.ts";

export { contractModule, type ContractModuleOptions, type DescribedService } from "./contract_module.ts";
