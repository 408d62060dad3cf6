/** The author's half of Bayeux: the door `@enoki/enoki/bayeux`. Every thread loads it, and it opens nothing. */
export { bayeux, type BayeuxMessage, type BayeuxOptions } from "./bayeux.ts";
