/**
 * What turns the direction of the text around it (UAX #9, section 2): a name could pose as another.
 * The marks of Hebrew and Arabic text (RLM, LRM, ALM) are none of these.
 */
export const TURNS_TEXT = /[\u202a-\u202e\u2066-\u2069]/;
