-- A refund has its receipt in the series of its register, beside those of sales: one table, one
-- counter and one unique constraint prove that the series has no gap. The table is full of receipts
-- by now, so what is asked of old rows is only proven by a later file, which closes nothing.
--
-- A receipt without a sale is new to clients of 1.0.0. They meet one only where a refund was made,
-- which they cannot do; every receipt that they know of keeps its sale.
alter table public.receipts
  -- squawk-ignore ban-drop-not-null
  alter column sale_id drop not null,
  add column refund_id uuid,
  add constraint receipts_for_one_act check (num_nonnulls(sale_id, refund_id) = 1) not valid,
  add constraint receipts_refund_id_fkey foreign key (refund_id)
    references public.refunds (id) on delete restrict not valid;

comment on column public.receipts.sale_id is 'What the receipt is for: a sale, or else a refund.';
comment on column public.receipts.refund_id is 'Empty on the receipt of a sale.';
