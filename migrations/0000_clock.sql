-- Time is the database's. Only the owner of the schema may shift it, which tests do.
CREATE TABLE berth_test_clock (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  shift interval NOT NULL
);
--> statement-breakpoint
CREATE FUNCTION berth_now() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
  SELECT now() + coalesce((SELECT shift FROM public.berth_test_clock), interval '0')
$$;
--> statement-breakpoint
COMMENT ON FUNCTION berth_now() IS 'The start of the transaction, by the one clock that everything goes by.';
