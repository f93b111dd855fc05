-- berth: transaction=none
-- One receipt per refund. Built concurrently: the tills go on giving receipts meanwhile.
create unique index concurrently receipts_refund_id_key on public.receipts (refund_id);
