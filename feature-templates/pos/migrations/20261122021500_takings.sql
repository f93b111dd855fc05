-- What tills took, in figures that both reports share.

create function private.takings(
  p_session_ids uuid[], p_location_id uuid, p_from timestamptz, p_until timestamptz, p_currency text
) returns jsonb
language sql
stable
set search_path = ''
as $$
  with sold as (
    select s.id, s.net_total, s.tax_total, s.total
    from public.sales s
    where s.session_id = any (p_session_ids) and s.location_id = coalesce(p_location_id, s.location_id)
      and s.currency = p_currency and s.sold_at >= p_from and s.sold_at < p_until
  ),
  given_back as (
    select b.id, b.kind, b.net_total, b.tax_total, b.total
    from public.refunds b
    where b.session_id = any (p_session_ids) and b.location_id = coalesce(p_location_id, b.location_id)
      and b.currency = p_currency and b.refunded_at >= p_from and b.refunded_at < p_until
  ),
  sums as (
    select 'sales' as name, count(*) as count, coalesce(sum(s.net_total), 0) as net,
      coalesce(sum(s.tax_total), 0) as tax, coalesce(sum(s.total), 0) as total, 1 as sign
    from sold s
    union all
    select k.name, count(b.id), coalesce(sum(b.net_total), 0), coalesce(sum(b.tax_total), 0),
      coalesce(sum(b.total), 0), -1
    from (values ('refunds', 'refund'), ('voids', 'void')) k (name, kind)
    left join given_back b on b.kind = k.kind
    group by k.name
  ),
  taxes as (
    select t.tax_rate, sum(t.sold_net) as sold_net, sum(t.sold_tax) as sold_tax,
      sum(t.back_net) as back_net, sum(t.back_tax) as back_tax
    from (
      select i.tax_rate, i.net_amount as sold_net, i.tax_amount as sold_tax,
        0 as back_net, 0 as back_tax
      from sold s
      join public.sale_lines i on i.sale_id = s.id
      union all
      select i.tax_rate, 0, 0, g.net_amount, g.tax_amount
      from given_back b
      join public.refund_lines g on g.refund_id = b.id
      join public.sale_lines i on i.sale_id = g.sale_id and i.line_number = g.line_number
    ) t
    group by t.tax_rate
  ),
  methods as (
    select m.method, sum(m.received) as received, sum(m.repaid) as repaid
    from (
      select p.method, p.amount as received, 0 as repaid
      from sold s
      join public.payments p on p.sale_id = s.id
      union all
      select p.method, 0, p.amount
      from given_back b
      join public.refund_payments p on p.refund_id = b.id
    ) m
    group by m.method
  )
  select jsonb_build_object('currency', p_currency)
    || (
      select jsonb_object_agg(u.name, jsonb_build_object(
        'count', u.count, 'net', u.net, 'tax', u.tax, 'total', u.total
      ))
      from sums u
    )
    || jsonb_build_object(
      'balance', (
        select jsonb_build_object(
          'net', sum(u.sign * u.net), 'tax', sum(u.sign * u.tax), 'total', sum(u.sign * u.total)
        )
        from sums u
      ),
      'discounts', (
        select coalesce(sum(i.discount), 0)
        from sold s
        join public.sale_lines i on i.sale_id = s.id
      ),
      'taxes', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'rate', t.tax_rate, 'sold_net', t.sold_net, 'sold_tax', t.sold_tax,
          'given_back_net', t.back_net, 'given_back_tax', t.back_tax,
          'net', t.sold_net - t.back_net, 'tax', t.sold_tax - t.back_tax
        ) order by t.tax_rate), '[]')
        from taxes t
      ),
      'payments', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'method', m.method, 'received', m.received, 'repaid', m.repaid,
          'balance', m.received - m.repaid
        ) order by m.method), '[]')
        from methods m
      )
    );
$$;

comment on function private.takings(uuid[], uuid, timestamptz, timestamptz, text) is
  'Sales less refunds and voids of these sessions at a location, or at any if empty, from one moment on until before
  another, in one currency: totals, taxes per rate, and payments per method.';

revoke all on function private.takings(uuid[], uuid, timestamptz, timestamptz, text)
  from public, anon, authenticated, service_role;

-- The numbers are looked for one by one, and the one before the first as well: that is the proof.
create function private.receipt_series(
  p_session_ids uuid[], p_location_id uuid, p_from timestamptz, p_until timestamptz
) returns jsonb
language sql
stable
set search_path = ''
as $$
  with given as (
    select p.register_id, p.number
    from public.sales s
    join public.receipts p on p.sale_id = s.id
    where s.session_id = any (p_session_ids) and s.location_id = coalesce(p_location_id, s.location_id)
      and s.sold_at >= p_from and s.sold_at < p_until
    union all
    select p.register_id, p.number
    from public.refunds b
    join public.receipts p on p.refund_id = b.id
    where b.session_id = any (p_session_ids) and b.location_id = coalesce(p_location_id, b.location_id)
      and b.refunded_at >= p_from and b.refunded_at < p_until
  ),
  series as (
    select r.code, r.id, min(g.number) as first, max(g.number) as last, count(*) as count
    from given g
    join public.registers r on r.id = g.register_id
    group by r.id
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'register', s.code, 'from', s.first, 'to', s.last, 'count', s.count,
    'missing', m.numbers, 'gapless', m.numbers = '[]'
  ) order by s.code), '[]')
  from series s
  cross join lateral (
    select coalesce(jsonb_agg(n order by n), '[]') as numbers
    from generate_series(greatest(s.first - 1, 1), s.last) n
    where not exists (
      select from public.receipts p where p.register_id = s.id and p.number = n
    )
  ) m;
$$;

comment on function private.receipt_series(uuid[], uuid, timestamptz, timestamptz) is
  'Per register, the first and last receipt of these sessions, and which numbers are missing.';

revoke all on function private.receipt_series(uuid[], uuid, timestamptz, timestamptz)
  from public, anon, authenticated, service_role;
