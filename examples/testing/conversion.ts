import { rpc, service } from "@enoki/enoki";

/** Converts between metric and imperial units. */
export default service("conversions", {
  entrypoints: { inches_to_cm: rpc(), cms_to_inches: rpc() },
  handlers: {
    inches_to_cm: (_context, inches: number) => inches * 2.54,
    cms_to_inches: (_context, cms: number) => cms / 2.54,
  },
});
