-- A store of schema version 2 on PostgreSQL, as its library wrote it. Never edited.
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' rows are immutable', ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TABLE public.account (
    id text NOT NULL,
    parent text,
    currency text DEFAULT 'USD'::text NOT NULL,
    cap bigint,
    held bigint DEFAULT '0'::bigint NOT NULL,
    settled bigint DEFAULT '0'::bigint NOT NULL,
    overrun bigint DEFAULT '0'::bigint NOT NULL,
    warned bigint DEFAULT '0'::bigint NOT NULL,
    window_of text,
    from_at bigint,
    until_at bigint,
    CONSTRAINT held_not_negative CHECK ((held >= 0)),
    CONSTRAINT settled_not_negative CHECK ((settled >= 0)),
    CONSTRAINT within_cap CHECK (((cap IS NULL) OR ((held + settled) <= (cap + overrun))))
);

CREATE TABLE public.artifact (
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    mime_type text NOT NULL,
    path text NOT NULL,
    facts text
);

CREATE TABLE public.attempt (
    id text NOT NULL,
    job text NOT NULL,
    n bigint NOT NULL,
    provider text NOT NULL,
    endpoint text NOT NULL,
    model text NOT NULL,
    account_ref text NOT NULL,
    table_checked text NOT NULL,
    plan text NOT NULL,
    reuse_address text NOT NULL,
    reserved bigint NOT NULL,
    body text,
    state text NOT NULL,
    wire text,
    idempotency_key text NOT NULL,
    maybe_sent bigint DEFAULT '0'::bigint NOT NULL,
    sends bigint DEFAULT '0'::bigint NOT NULL,
    remote_id text,
    known text,
    first_sent_at bigint,
    last_sent_at bigint,
    found_by text,
    handle text,
    delivery text,
    error text,
    warnings text NOT NULL,
    lease_owner text,
    lease_until bigint,
    submitted_at bigint,
    finished_at bigint,
    version bigint DEFAULT '0'::bigint NOT NULL
);

CREATE TABLE public.budget (
    account text NOT NULL,
    period text NOT NULL,
    cap bigint NOT NULL,
    CONSTRAINT cap_not_negative CHECK ((cap >= 0)),
    CONSTRAINT known_period CHECK ((period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text])))
);

CREATE TABLE public.credit_rate (
    currency text NOT NULL,
    from_at bigint NOT NULL,
    usd text NOT NULL,
    source text NOT NULL
);

CREATE TABLE public.event (
    seq bigint NOT NULL,
    attempt text,
    at bigint NOT NULL,
    kind text NOT NULL,
    data text NOT NULL,
    hash text NOT NULL
);

CREATE SEQUENCE public.event_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.event_seq_seq OWNED BY public.event.seq;

CREATE TABLE public.inbox (
    seq bigint NOT NULL,
    source text NOT NULL,
    msg_id text NOT NULL,
    at bigint NOT NULL,
    attempt text,
    remote_id text,
    handle text,
    handled_at bigint
);

CREATE SEQUENCE public.inbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.inbox_seq_seq OWNED BY public.inbox.seq;

CREATE TABLE public.job (
    id text NOT NULL,
    project text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    request text NOT NULL,
    ask text NOT NULL,
    stage text NOT NULL,
    tags text NOT NULL,
    created_at bigint NOT NULL,
    deadline_at bigint NOT NULL
);

CREATE TABLE public.meta (
    key text NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.output (
    job text NOT NULL,
    n bigint NOT NULL,
    attempt text NOT NULL,
    sha256 text NOT NULL
);

CREATE TABLE public.pause (
    offer text NOT NULL,
    rates text NOT NULL,
    attempt text NOT NULL,
    at bigint NOT NULL,
    lifted_at bigint
);

CREATE TABLE public.service_time (
    offer text NOT NULL,
    weight double precision NOT NULL,
    mean_log_s double precision NOT NULL,
    square_log_s double precision NOT NULL
);

CREATE TABLE public.throttle (
    provider text NOT NULL,
    account_ref text NOT NULL,
    next_at bigint DEFAULT '0'::bigint NOT NULL,
    at_once double precision,
    frozen_until bigint DEFAULT '0'::bigint NOT NULL
);

CREATE TABLE public.transfer (
    id text NOT NULL,
    kind text NOT NULL,
    pending_id text,
    debit text NOT NULL,
    credit text NOT NULL,
    attempt text NOT NULL,
    amount bigint NOT NULL,
    currency text,
    credits bigint,
    credit_usd text,
    source text NOT NULL,
    basis text NOT NULL,
    at bigint NOT NULL,
    CONSTRAINT amount_not_negative CHECK ((amount >= 0)),
    CONSTRAINT known_kind CHECK ((kind = ANY (ARRAY['pending'::text, 'post'::text, 'void'::text, 'adjust'::text])))
);

ALTER TABLE ONLY public.event ALTER COLUMN seq SET DEFAULT nextval('public.event_seq_seq'::regclass);

ALTER TABLE ONLY public.inbox ALTER COLUMN seq SET DEFAULT nextval('public.inbox_seq_seq'::regclass);

INSERT INTO public.account VALUES ('organisation', NULL, 'USD', NULL, 160000, 450000, 50000, 0, NULL, NULL, NULL);
INSERT INTO public.account VALUES ('project:film', 'organisation', 'USD', 100000000, 160000, 450000, 50000, 0, NULL, NULL, NULL);
INSERT INTO public.account VALUES ('project:film@month/2026-01', NULL, 'USD', 50000000, 160000, 450000, 50000, 0, 'project:film', 1767225600000, 1769904000000);
INSERT INTO public.account VALUES ('project:film@day/2026-01-01', NULL, 'USD', 20000000, 160000, 450000, 50000, 0, 'project:film', 1767225600000, 1767312000000);
INSERT INTO public.account VALUES ('credits:memory', NULL, 'credit:memory', 5000000000, 16000000, 26000000, 5000000, 0, NULL, NULL, NULL);
INSERT INTO public.account VALUES ('project:film/scene', 'project:film', 'USD', 10000000, 0, 40000, 0, 0, NULL, NULL, NULL);

INSERT INTO public.artifact VALUES ('fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d', 77, 'image/png', 'fd/fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d.png', NULL);
INSERT INTO public.artifact VALUES ('de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9', 77, 'image/png', 'de/de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9.png', NULL);
INSERT INTO public.artifact VALUES ('b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04', 77, 'image/png', 'b3/b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04.png', NULL);
INSERT INTO public.artifact VALUES ('20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5', 77, 'image/png', '20/20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5.png', NULL);
INSERT INTO public.artifact VALUES ('2c01e481b7871908b359fc11d79982b62d84841b2d98358c7c0b3e2b42c28232', 78, 'image/png', '2c/2c01e481b7871908b359fc11d79982b62d84841b2d98358c7c0b3e2b42c28232.png', NULL);
INSERT INTO public.artifact VALUES ('c4bb337c83f4accf7a6ac34ac4bd63cd9dd78ea9561ae60c92393f2509eef2a8', 78, 'image/png', 'c4/c4bb337c83f4accf7a6ac34ac4bd63cd9dd78ea9561ae60c92393f2509eef2a8.png', NULL);
INSERT INTO public.artifact VALUES ('70b8144f9184813ada310364c84a9a6ed9808216ba05186b77aa5cd3e0143449', 79, 'image/png', '70/70b8144f9184813ada310364c84a9a6ed9808216ba05186b77aa5cd3e0143449.png', NULL);

INSERT INTO public.attempt VALUES ('19b76daa8001ca037ea7cdc5.1', '19b76daa8001ca037ea7cdc5', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"a fox"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"a fox","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:11fbfa03ae4f9161cafedd052693e6130a11ae7a12355059ce6265e0ed757d96', 40000, '{"endpoint":"cheap","prompt":"a fox"}', 'stored', 'succeeded', '19b76daa8001ca037ea7cdc5.1', 0, 1, 'memory-1', NULL, 1767225600000, 1767225600000, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-1","model":"memory-cheap","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-1.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225600100, 1767225622077, 3);
INSERT INTO public.attempt VALUES ('19b76dafe3d7be0b990bab19.1', '19b76dafe3d7be0b990bab19', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"a fox again"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"a fox again","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:8cd9db266598ef6bd59a740bc07045b6be67048a3ed54bf5dc73a4b70a77c0c6', 40000, '{"endpoint":"cheap","prompt":"a fox again"}', 'stored', 'succeeded', '19b76dafe3d7be0b990bab19.1', 0, 3, 'memory-2', NULL, 1767225622077, 1767225629561, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-2","model":"memory-cheap","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-2.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225629661, 1767225651639, 7);
INSERT INTO public.attempt VALUES ('19b76db71b7c63e847293495.1', '19b76db71b7c63e847293495', 1, 'memory', 'second', 'memory-second', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"second","prompt":"a fox, billed twice"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-second","names":{"dialect":"","endpoint":"second","model":"memory-second","task":"text-to-image","version":""},"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"a fox, billed twice","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:second is pinned"}', 'r1:312959766739aae274c4ff03bb132794ecf0e4eaa74a763aafaf9c41c1698ff9', 50000, '{"endpoint":"second","prompt":"a fox, billed twice"}', 'stored', 'succeeded', '19b76db71b7c63e847293495.1', 0, 1, 'memory-3', NULL, 1767225651639, 1767225651639, NULL, '{"dialect":"","endpoint":"second","id":"memory-3","model":"memory-second","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-3.png?n=0"}],"refs":{},"reported":{"image":"2"}}', NULL, '[]', NULL, NULL, 1767225651739, 1767225689042, 3);
INSERT INTO public.attempt VALUES ('19b76dc03d2b480af1798dcf.1', '19b76dc03d2b480af1798dcf', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","image":"<sha256:fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d image/png 0 kB>","prompt":"a fox at night"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{"<sha256:fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d image/png 0 kB>":{"form":"upload","media":{"job_id":"19b76daa8001ca037ea7cdc5","mime_type":"image/png","sha256":"fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d","size_bytes":77}}},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"image-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"image":{"job_id":"19b76daa8001ca037ea7cdc5","mime_type":"image/png","sha256":"fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d","size_bytes":77},"prompt":"a fox at night","task":"image-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:46e57941edc47bc0542d891dc4c7f424a53fca3935deb0f575792898cf41ea09', 40000, '{"endpoint":"cheap","image":"http://memory.invalid/files/0.png","prompt":"a fox at night"}', 'stored', 'succeeded', '19b76dc03d2b480af1798dcf.1', 0, 1, 'memory-4', NULL, 1767225689142, 1767225689142, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-4","model":"memory-cheap","task":"image-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-4.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225689242, 1767225711219, 5);
INSERT INTO public.attempt VALUES ('19b76dc5a733ab12bb43554d.1', '19b76dc5a733ab12bb43554d', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot free"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot free","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:becabb93ba6e04823b9f3aa84cbdcdb6c8295931169c8d865f492a16024bc866', 40000, '{"endpoint":"cheap","prompt":"shot free"}', 'failed', 'failed', '19b76dc5a733ab12bb43554d.1', 0, 1, 'memory-5', NULL, 1767225711219, 1767225711219, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-5","model":"memory-cheap","task":"text-to-image","version":""}', NULL, '{"accepted":true,"code":"failed_free","job_id":"19b76dc5a733ab12bb43554d","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}', '[]', NULL, NULL, 1767225711319, 1767225731448, 2);
INSERT INTO public.attempt VALUES ('19b76dca978c8a899e46fd1c.1', '19b76dca978c8a899e46fd1c', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot billed"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot billed","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:a6459dcd30fa990aacb5f875a1b843585c2da22ed6e11951361ff677cb92830e', 40000, '{"endpoint":"cheap","prompt":"shot billed"}', 'failed', 'failed', '19b76dca978c8a899e46fd1c.1', 0, 1, 'memory-6', NULL, 1767225731448, 1767225731448, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-6","model":"memory-cheap","task":"text-to-image","version":""}', NULL, '{"accepted":true,"code":"failed_billed","job_id":"19b76dca978c8a899e46fd1c","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}', '[]', NULL, NULL, 1767225731548, 1767225751677, 2);
INSERT INTO public.attempt VALUES ('19b76dcf87da4bc3132b2e3a.1', '19b76dcf87da4bc3132b2e3a', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot unclear"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot unclear","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:5487b39059d572bced14be16718e6959fd3cf7abc02b1753a48ea4a168460a41', 40000, '{"endpoint":"cheap","prompt":"shot unclear"}', 'failed', 'failed', '19b76dcf87da4bc3132b2e3a.1', 0, 1, 'memory-7', NULL, 1767225751677, 1767225751677, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-7","model":"memory-cheap","task":"text-to-image","version":""}', NULL, '{"accepted":true,"code":"failed_unclear","job_id":"19b76dcf87da4bc3132b2e3a","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it. It may be billed: $0.04 stay reserved, until `aggregator correct 19b76dcf87da4bc3132b2e3a.1 USD` says what was","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}', '[]', NULL, NULL, 1767225751777, 1767225771905, 2);
INSERT INTO public.attempt VALUES ('19b76dd47811615105a596e6.1', '19b76dd47811615105a596e6', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"refused"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"refused","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:7e41eeb5656846d76368976c1e2bb3b9560952ff27a29eaa9b7c229a3b746315', 40000, '{"endpoint":"cheap","prompt":"refused"}', 'refused', NULL, '19b76dd47811615105a596e6.1', 0, 1, NULL, NULL, 1767225771905, 1767225771905, NULL, NULL, NULL, '{"accepted":false,"code":"moderated","job_id":"19b76dd47811615105a596e6","message":"memory, submitting: HTTP 422 moderated: the prompt is refused. Change the request; it is not sent anywhere else by itself","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":422,"task":"text-to-image","type":"ContentPolicyError"}', '[]', NULL, NULL, NULL, 1767225772005, 1);
INSERT INTO public.attempt VALUES ('19b76dd47e5464129ca016d3.1', '19b76dd47e5464129ca016d3', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[{"adjustments":[],"excluded":null,"model":"calling-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"calling:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""},"tier":"workhorse"},{"adjustments":[],"excluded":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"ba77cb20f767","why":""},"tier":"workhorse"},{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":"is paused: job 19b76db71b7c63e847293495 was to cost up to $0.05 and was billed $0.10","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"ba77cb20f767","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"elsewhere"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"elsewhere","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 3 that fit; memory:second is paused: job 19b76db71b7c63e847293495 was to cost up to $0.05 and was billed $0.10"}', 'r1:321c97b85b457d0efa38d06bfc75bf23c6aba46852f07faffe9f2f66f01882b6', 40000, '{"endpoint":"cheap","prompt":"elsewhere"}', 'refused', NULL, '19b76dd47e5464129ca016d3.1', 0, 1, NULL, NULL, 1767225772005, 1767225772005, NULL, NULL, NULL, '{"accepted":false,"code":"quota","job_id":"19b76dd47e5464129ca016d3","message":"memory, submitting: HTTP 402 quota: no credit. Add credit at the provider, or route elsewhere","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":402,"task":"text-to-image","type":"QuotaError"}', '[]', NULL, NULL, NULL, 1767225772105, 1);
INSERT INTO public.attempt VALUES ('19b76dd47e5464129ca016d3.2', '19b76dd47e5464129ca016d3', 2, 'calling', 'cheap', 'calling-cheap', '', '2026-11-21', '{"alternatives":[{"adjustments":[],"excluded":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"ba77cb20f767","why":""},"tier":"workhorse"},{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":"is paused: job 19b76db71b7c63e847293495 was to cost up to $0.05 and was billed $0.10","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"ba77cb20f767","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"elsewhere"},"chosen":{"adjustments":[],"excluded":null,"model":"calling-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"calling:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"calling-cheap","names":{"dialect":"","endpoint":"cheap","model":"calling-cheap","task":"text-to-image","version":""},"offer":"calling:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"elsewhere","task":"text-to-image"},"stage":"prototype","url":"http://calling.invalid/jobs","why":"calling:cheap is pinned"}', 'r1:b0e736e7ad375faff157dcd2e1858ebc5042f43e40e9632784ba99542a24a9d4', 60000, '{"callback":"https://api.example.com/hooks/calling/19b76dd47e5464129ca016d3.2.kekL53cIuFjxHj3wBB5tciIU","endpoint":"cheap","prompt":"elsewhere"}', 'stored', 'succeeded', '19b76dd47e5464129ca016d3.2', 0, 1, 'calling-8', NULL, 1767225772105, 1767225772105, NULL, '{"dialect":"","endpoint":"cheap","id":"calling-8","model":"calling-cheap","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://calling.invalid/files/calling-8.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225772205, 1767225802285, 3);
INSERT INTO public.attempt VALUES ('19b76ddbe2d738b85b30bba3.1', '19b76ddbe2d738b85b30bba3', 1, 'listing', 'cheap', 'listing-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"found in a list"},"chosen":{"adjustments":[],"excluded":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"listing-cheap","names":{"dialect":"","endpoint":"cheap","model":"listing-cheap","task":"text-to-image","version":""},"offer":"listing:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"found in a list","task":"text-to-image"},"stage":"prototype","url":"http://listing.invalid/jobs","why":"listing:cheap is pinned"}', 'r1:97a002560f10759bd50092c52fb2f518c7d4fd857108000c02bdccde024a4a6e', 70000, '{"endpoint":"cheap","prompt":"found in a list"}', 'stored', 'succeeded', '19b76ddbe2d738b85b30bba3.1', 0, 1, 'listing-9', NULL, 1767225802285, 1767225802285, 'lookup', '{"dialect":"","endpoint":"cheap","id":"listing-9","model":"listing-cheap","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://listing.invalid/files/listing-9.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225802485, 1767225824462, 4);
INSERT INTO public.attempt VALUES ('19b76de14cee95e4c8e9758e.1', '19b76de14cee95e4c8e9758e', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"unknown"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"unknown","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:89de57de20e349ef29c585333f82bda2628791f41bdcfcb3395b96b264c374f2', 40000, '{"endpoint":"cheap","prompt":"unknown"}', 'unknown', NULL, '19b76de14cee95e4c8e9758e.1', 1, 1, NULL, NULL, 1767225824462, 1767225824462, NULL, NULL, NULL, '{"accepted":null,"code":null,"job_id":"19b76de14cee95e4c8e9758e","message":"memory, submitting: no answer (the line was cut). Job 19b76de14cee95e4c8e9758e may have been accepted and charged: its money stays reserved (attempt 19b76de14cee95e4c8e9758e.1). Do not order it again under another key; `aggregator resume` looks for it again, and `aggregator unknown list` says where to look and how to settle it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"UnavailableError"}', '[]', NULL, NULL, NULL, NULL, 2);
INSERT INTO public.attempt VALUES ('19b76de15001444480b7c7ad.1', '19b76de15001444480b7c7ad', 1, 'calling', 'cheap', 'calling-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"called back"},"chosen":{"adjustments":[],"excluded":null,"model":"calling-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"calling:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"calling-cheap","names":{"dialect":"","endpoint":"cheap","model":"calling-cheap","task":"text-to-image","version":""},"offer":"calling:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"called back","task":"text-to-image"},"stage":"prototype","url":"http://calling.invalid/jobs","why":"calling:cheap is pinned"}', 'r1:0de09f0ffccc82d295a36e8b827519a3745d65bf544026de467c9313933f705c', 60000, '{"callback":"https://api.example.com/hooks/calling/19b76de15001444480b7c7ad.1.fUf7IjVb5RE9WVPLKZe_9uLI","endpoint":"cheap","prompt":"called back"}', 'stored', 'succeeded', '19b76de15001444480b7c7ad.1', 0, 1, 'calling-10', NULL, 1767225824512, 1767225824512, NULL, '{"dialect":"","endpoint":"cheap","id":"calling-10","model":"calling-cheap","task":"text-to-image","version":""}', '{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://calling.invalid/files/calling-10.png?n=0"}],"refs":{},"reported":{"image":"1"}}', NULL, '[]', NULL, NULL, 1767225824612, 1767225934712, 4);
INSERT INTO public.attempt VALUES ('19b76dfc378480f281d5700a.1', '19b76dfc378480f281d5700a', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"canceled"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"canceled","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:d3b62c723ae7cbe3317b6481cf5556c00e8080cd28281cd96c777e208848b43b', 40000, '{"endpoint":"cheap","prompt":"canceled"}', 'canceled', 'canceled', '19b76dfc378480f281d5700a.1', 0, 1, 'memory-11', NULL, 1767225934712, 1767225934712, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-11","model":"memory-cheap","task":"text-to-image","version":""}', NULL, '{"accepted":true,"code":null,"job_id":"19b76dfc378480f281d5700a","message":"memory accepted the job, then it canceled. It was canceled. It may be billed: $0.04 stay reserved, until `aggregator correct 19b76dfc378480f281d5700a.1 USD` says what was","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobCanceledError"}', '[]', NULL, NULL, 1767225934812, 1767225949912, 2);
INSERT INTO public.attempt VALUES ('19b76dffed8c22a1f005a4fe.1', '19b76dffed8c22a1f005a4fe', 1, 'memory', 'cheap', 'memory-cheap', '', '2026-11-21', '{"alternatives":[],"body":{"endpoint":"cheap","prompt":"under way"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"under way","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}', 'r1:9aae336fbf6dbd3c76db3f9193634a6285bb6765cc5a2399a6f22a249b49af04', 40000, '{"endpoint":"cheap","prompt":"under way"}', 'submitted', 'queued', '19b76dffed8c22a1f005a4fe.1', 0, 1, 'memory-12', NULL, 1767225949912, 1767225949912, NULL, '{"dialect":"","endpoint":"cheap","id":"memory-12","model":"memory-cheap","task":"text-to-image","version":""}', NULL, NULL, '[]', NULL, NULL, 1767225950012, NULL, 1);

INSERT INTO public.budget VALUES ('project:film', 'month', 50000000);
INSERT INTO public.budget VALUES ('project:film', 'day', 20000000);

INSERT INTO public.credit_rate VALUES ('credit:memory', 1767225600000, '0.01', 'configuration');

INSERT INTO public.event VALUES (1, '19b76daa8001ca037ea7cdc5.1', 1767225600000, 'submitting', '{"offer":"memory:cheap"}', '2:fed860e3facd0ddaff547f74f29cd072a5c49559d5c0a5ced142b85cf33eb693');
INSERT INTO public.event VALUES (2, '19b76daa8001ca037ea7cdc5.1', 1767225600100, 'submitted', '{}', '2:10d69e7b2236df2ae8d3f88563d5d29aa0094f361c936f08f057345999762acf');
INSERT INTO public.event VALUES (3, '19b76daa8001ca037ea7cdc5.1', 1767225621977, 'succeeded', '{}', '2:ea8ca1a28fbbd7145a39cd61b700439f0e383915b356f97e0909a3daee710e43');
INSERT INTO public.event VALUES (4, '19b76daa8001ca037ea7cdc5.1', 1767225622077, 'stored', '{}', '2:1ff6e74d1434e77397de62267af0c47510cfdd3b8acdd779e0125c5cd1ee03aa');
INSERT INTO public.event VALUES (5, '19b76dafe3d7be0b990bab19.1', 1767225622077, 'submitting', '{"offer":"memory:cheap"}', '2:862ed46ab3a16735ea65d1fdc26652ae5788396dbc76d1057af451ee9212db03');
INSERT INTO public.event VALUES (6, '19b76dafe3d7be0b990bab19.1', 1767225622127, 'reserved', '{"outcome":"never_sent"}', '2:bc34c5007fa5d16481dcaed599c11bd45244ae5e2fd596d17eb4372e05a7da91');
INSERT INTO public.event VALUES (7, '19b76dafe3d7be0b990bab19.1', 1767225622461, 'submitting', '{}', '2:54b34d16c9c94cc626dbe4db3935f2dd871551b16f7de321c84a18bd40c90c3e');
INSERT INTO public.event VALUES (8, '19b76dafe3d7be0b990bab19.1', 1767225622561, 'reserved', '{"outcome":"rejected"}', '2:2b51c374f8a92aa8e817e1cbda4f978c0c2fc61af67bc000445f7e5c7b3d50b9');
INSERT INTO public.event VALUES (9, '19b76dafe3d7be0b990bab19.1', 1767225629561, 'submitting', '{}', '2:82bae57855f135b1a463f0d2b77fd86f31d6360e1d66bcd0cd9faab5dd680f4b');
INSERT INTO public.event VALUES (10, '19b76dafe3d7be0b990bab19.1', 1767225629661, 'submitted', '{}', '2:c01fdafcf0efb06b77b2f99b2130cf3a33bbf753f68be954b7c0b85613fe8f58');
INSERT INTO public.event VALUES (11, '19b76dafe3d7be0b990bab19.1', 1767225651539, 'succeeded', '{}', '2:0a66ce7badb82462a637a0a47b439f21194a238e323d6a7ed80aead46c3cfa75');
INSERT INTO public.event VALUES (12, '19b76dafe3d7be0b990bab19.1', 1767225651639, 'stored', '{}', '2:3ce717684082298424f93f4f4fed9b3f1b18a27da03b510d5a533a85949065d7');
INSERT INTO public.event VALUES (13, '19b76db71b7c63e847293495.1', 1767225651639, 'submitting', '{"offer":"memory:second"}', '2:afc72adce76bb86f8d8444735a9fa79672ece046cb003925dc0722f67e7b4855');
INSERT INTO public.event VALUES (14, '19b76db71b7c63e847293495.1', 1767225651739, 'submitted', '{}', '2:20b179d3b4e069cc01235398af92dd6cdae4c761447b9061108e21c08f97e9d0');
INSERT INTO public.event VALUES (15, '19b76db71b7c63e847293495.1', 1767225688942, 'succeeded', '{}', '2:a4095c84623239fd18de6f5ef156e23f183df2227e30ae8b696aff5a6c4582cc');
INSERT INTO public.event VALUES (16, '19b76db71b7c63e847293495.1', 1767225688942, 'paused', '{"bill":100000,"offer":"memory:second","rates":"memory/second/image@2025-01-01=0.05"}', '2:df3fba6ef98b8302eb84f546b05d5aeb0685106fa16fc2e7d02a4edae371ee13');
INSERT INTO public.event VALUES (17, '19b76db71b7c63e847293495.1', 1767225689042, 'stored', '{}', '2:ea0e991e84538ee7e6c9783368d92ef9bb754d3f2649235d4b41d9c0eae38e79');
INSERT INTO public.event VALUES (18, '19b76dc03d2b480af1798dcf.1', 1767225689042, 'reserved', '{"offer":"memory:cheap"}', '2:c00e59f21b286bbf012b6363fc5762721d105c75ff327c713e14fa18f4ec8ec7');
INSERT INTO public.event VALUES (19, '19b76dc03d2b480af1798dcf.1', 1767225689142, 'reserved', '{}', '2:602774dd5cf5c0d4aa0b5d584dba07c5cb09b70795819c2bac862f4c75f3246b');
INSERT INTO public.event VALUES (20, '19b76dc03d2b480af1798dcf.1', 1767225689142, 'submitting', '{}', '2:0d9282252fb4c858c5b856549cbd3faa9b75ad3a25c36dcb8d434661f7ccba85');
INSERT INTO public.event VALUES (21, '19b76dc03d2b480af1798dcf.1', 1767225689242, 'submitted', '{}', '2:56433f5cc57e204f62a2ef6d88cabcda9a26535a12072136867a9a21c41d55b6');
INSERT INTO public.event VALUES (22, '19b76dc03d2b480af1798dcf.1', 1767225711119, 'succeeded', '{}', '2:faefcff8315c54b0fc9775f4ba870451504c9edcfcb25ac77d83bc36b3089e7d');
INSERT INTO public.event VALUES (23, '19b76dc03d2b480af1798dcf.1', 1767225711219, 'stored', '{}', '2:8309bd5421a83bac3ca5c7ed8b911c600f07c952a1deb2bf266f0f64360b346f');
INSERT INTO public.event VALUES (24, '19b76dc5a733ab12bb43554d.1', 1767225711219, 'submitting', '{"offer":"memory:cheap"}', '2:5bfc8e2366ae4adf087883fdd878c4eb4d84f45d89d3b0b232e2ba8ec3b84447');
INSERT INTO public.event VALUES (25, '19b76dc5a733ab12bb43554d.1', 1767225711319, 'submitted', '{}', '2:f58706d0982a52737e9adf47aff24431fa92cbe5fd791001a0ba491b45603298');
INSERT INTO public.event VALUES (26, '19b76dc5a733ab12bb43554d.1', 1767225731448, 'failed', '{}', '2:a0ed90f1c732a1083a4666ef6528b2474878b0cf4cf6edc5d8be00fac0885c0b');
INSERT INTO public.event VALUES (27, '19b76dca978c8a899e46fd1c.1', 1767225731448, 'submitting', '{"offer":"memory:cheap"}', '2:29d11bd7ce5a867b125af7da58a4494d6e5f028e78d7bfedf2eb0ddd2f4423de');
INSERT INTO public.event VALUES (28, '19b76dca978c8a899e46fd1c.1', 1767225731548, 'submitted', '{}', '2:e2755367a8330b4cda4d275260230d7782503e6683bef9c54207f8fca584c5c6');
INSERT INTO public.event VALUES (29, '19b76dca978c8a899e46fd1c.1', 1767225751677, 'failed', '{}', '2:4f7f0b2880004e1e9e231c4d212270bf5e1097859f211ca7149bb6b053a120ad');
INSERT INTO public.event VALUES (30, '19b76dcf87da4bc3132b2e3a.1', 1767225751677, 'submitting', '{"offer":"memory:cheap"}', '2:0cafe71d538fad802ee62a23c99945133d79f75d924feb5eebf2c3677563642f');
INSERT INTO public.event VALUES (31, '19b76dcf87da4bc3132b2e3a.1', 1767225751777, 'submitted', '{}', '2:d6ae25ac8fdfdb10625d2c28150835f7a397c904bc4ee990b532af17a1f8c59f');
INSERT INTO public.event VALUES (32, '19b76dcf87da4bc3132b2e3a.1', 1767225771905, 'failed', '{}', '2:157631b99ed63d8808a379ffc7900f8928aabba04450f772366833424709a31a');
INSERT INTO public.event VALUES (33, '19b76dd47811615105a596e6.1', 1767225771905, 'submitting', '{"offer":"memory:cheap"}', '2:97c8ca517fe02a661a6cf1fa662ee6e681cb83a610ed9b08c4bb3e7523aa5b26');
INSERT INTO public.event VALUES (34, '19b76dd47811615105a596e6.1', 1767225772005, 'refused', '{"error":"ContentPolicyError"}', '2:760deb4c989955b439a592b5fafca2237d14a872f8c4eb3f5046c4bdd98b03eb');
INSERT INTO public.event VALUES (35, '19b76dd47e5464129ca016d3.1', 1767225772005, 'submitting', '{"offer":"memory:cheap"}', '2:8c433a849c0dec02884236701b84ab748020340d5d3ccaf970d84bf864f34517');
INSERT INTO public.event VALUES (36, '19b76dd47e5464129ca016d3.1', 1767225772105, 'refused', '{"error":"QuotaError"}', '2:6139a0ec468fe801ceaf8a2702ca537b1126956e9948714644546198879b73bd');
INSERT INTO public.event VALUES (37, '19b76dd47e5464129ca016d3.2', 1767225772105, 'submitting', '{"offer":"calling:cheap"}', '2:529fca01378a8143d4f798ffd7b828db22e67a7bf7f740a357f357409e7c3bfe');
INSERT INTO public.event VALUES (38, '19b76dd47e5464129ca016d3.2', 1767225772205, 'submitted', '{}', '2:6533b365fcddca234d5ae49e8002ad3021bb11b16cbe47a5e4a9562d8526b8e4');
INSERT INTO public.event VALUES (39, '19b76dd47e5464129ca016d3.2', 1767225802185, 'succeeded', '{}', '2:eec07b32133d16b85d4754df772de8ffc52981f1af856f05823ab131dfb29908');
INSERT INTO public.event VALUES (40, '19b76dd47e5464129ca016d3.2', 1767225802285, 'stored', '{}', '2:b77ee9a153f8987e768c009029e2f79100ffcdde3ec249ed133ad48b69653976');
INSERT INTO public.event VALUES (41, '19b76ddbe2d738b85b30bba3.1', 1767225802285, 'submitting', '{"offer":"listing:cheap"}', '2:df3e9be64fdec8e43621949417817f7a2b948803a9a9c59f615821ef82c828a9');
INSERT INTO public.event VALUES (42, '19b76ddbe2d738b85b30bba3.1', 1767225802385, 'reconciling', '{"outcome":"unknown"}', '2:ecb2367724c81b2df60fdc297d79305f609bfb13e0a21e8b10d43e26bd8c0b96');
INSERT INTO public.event VALUES (43, '19b76ddbe2d738b85b30bba3.1', 1767225802485, 'submitted', '{}', '2:db3957101da840c26d4d6e614a512f583e5584de3728208d2d12a707c205233a');
INSERT INTO public.event VALUES (44, '19b76ddbe2d738b85b30bba3.1', 1767225824362, 'succeeded', '{}', '2:ca9d6ac2fbb061087659f0c2bb222df7fb1cec8b9adbce419f1e05c4942ea791');
INSERT INTO public.event VALUES (45, '19b76ddbe2d738b85b30bba3.1', 1767225824462, 'stored', '{}', '2:faee72498de94895eadee40d6cb67263fafdcb063fd364b562dbefd8cfb3dc04');
INSERT INTO public.event VALUES (46, '19b76de14cee95e4c8e9758e.1', 1767225824462, 'submitting', '{"offer":"memory:cheap"}', '2:5300b7efc41126fc4a14001cf02e577812d2b6decb171383da2e235777458ae0');
INSERT INTO public.event VALUES (47, '19b76de14cee95e4c8e9758e.1', 1767225824512, 'reconciling', '{"outcome":"unknown"}', '2:9acb3d9ed34ebbac94fedd44810e08a2301743dbc0623970f63f265807ec3394');
INSERT INTO public.event VALUES (48, '19b76de14cee95e4c8e9758e.1', 1767225824512, 'unknown', '{}', '2:e69815648f36cbcc2f963cfaaeb1f61d882948c5736dc089a1187d47fcb50d9a');
INSERT INTO public.event VALUES (49, '19b76de15001444480b7c7ad.1', 1767225824512, 'submitting', '{"offer":"calling:cheap"}', '2:66a1bc38af450f2a4ce60b5f0e2bbcd65840d40e9312f660f1eb4232ffb4d369');
INSERT INTO public.event VALUES (50, '19b76de15001444480b7c7ad.1', 1767225824612, 'submitted', '{}', '2:97d30c5ab697aef1334f4f960ab82355bed95aabfcd0fa7e83285c93b32c3f8d');
INSERT INTO public.event VALUES (51, '19b76de15001444480b7c7ad.1', 1767225890667, 'running', '{}', '2:95b9c8ed000eb811f5a6f323abdb9465507f0540883edb245a57dfd306480183');
INSERT INTO public.event VALUES (52, '19b76de15001444480b7c7ad.1', 1767225934612, 'succeeded', '{}', '2:f66337152b35c54915a4dc0466fa81da44e8c6fc416c46f22642cd39f41f038f');
INSERT INTO public.event VALUES (53, '19b76de15001444480b7c7ad.1', 1767225934712, 'stored', '{}', '2:f0d4e07d0f1253d87fb3aef7962f714534a7bda79b710275729fd13899d73927');
INSERT INTO public.event VALUES (54, '19b76dfc378480f281d5700a.1', 1767225934712, 'submitting', '{"offer":"memory:cheap"}', '2:36c76357336840d44ad4de6fe1efb0d773b4f291353d45156e25034f4adac485');
INSERT INTO public.event VALUES (55, '19b76dfc378480f281d5700a.1', 1767225934812, 'submitted', '{}', '2:eb989b6df0c79cd7997d1a9eae074fd0203e5858e3e343d3dc806985ee9ed023');
INSERT INTO public.event VALUES (56, '19b76dfc378480f281d5700a.1', 1767225949912, 'canceled', '{}', '2:f2a33f9eecd4c70d68945fa8f6bcf987dc24c4da96bd5d118cfa2572f7481f65');
INSERT INTO public.event VALUES (57, '19b76dffed8c22a1f005a4fe.1', 1767225949912, 'submitting', '{"offer":"memory:cheap"}', '2:e688c83721739ebae3b635112178d73bbf4925c4d94ea1153fbbfb1957a33805');
INSERT INTO public.event VALUES (58, '19b76dffed8c22a1f005a4fe.1', 1767225950012, 'submitted', '{}', '2:9894a1544e1f92f221e3fb5a309a016e3a06b994f8ce16f7f67aa3d5b60b5ac9');

INSERT INTO public.inbox VALUES (1, 'calling', '496482e4a82896f7f0e8e73391881a37c8b2ba468d53eca367109ef9d4c9f230', 1767225934512, '19b76de15001444480b7c7ad.1', 'calling-10', '{}', 1767225934612);

INSERT INTO public.job VALUES ('19b76daa8001ca037ea7cdc5', 'project:film', 'stored', 'f1:7e54406e8b73935e4495aee5b296aff0a61ae4123ea71d8f7b8a6f1c9f01918b', '{"prompt":"a fox","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{"scene":"1"}', 1767225600000, 1767229200000);
INSERT INTO public.job VALUES ('19b76dafe3d7be0b990bab19', 'project:film', 'repeated', 'f1:bcb8ee0f994858c6ecbd3735a506397b43e90b7d46353d6828e99c7aadca2004', '{"prompt":"a fox again","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225622077, 1767229222077);
INSERT INTO public.job VALUES ('19b76db71b7c63e847293495', 'project:film', 'above', 'f1:e46c845d9d30262e0cab727382d7a741d816737449d9e51cd5d7d2a182f3241b', '{"prompt":"a fox, billed twice","task":"text-to-image"}', '{"max_usd":null,"model":"memory:second","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225651639, 1767229251639);
INSERT INTO public.job VALUES ('19b76dc03d2b480af1798dcf', 'project:film/scene', 'edited', 'f1:a3a8683e2cfa72fa4d34cf22ec186bc6959d63f2fd9af51935041fa9943530c2', '{"image":{"job_id":"19b76daa8001ca037ea7cdc5","mime_type":"image/png","sha256":"fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d","size_bytes":77},"prompt":"a fox at night","task":"image-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225689042, 1767229289042);
INSERT INTO public.job VALUES ('19b76dc5a733ab12bb43554d', 'project:film', 'free', 'f1:492ae0b8cde1f0009e2ae55ae573fece1706abf954db9839401206ac167a0f42', '{"prompt":"shot free","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225711219, 1767229311219);
INSERT INTO public.job VALUES ('19b76dca978c8a899e46fd1c', 'project:film', 'billed', 'f1:3cc399015f062cc66da7e4beb88831ee23e40c7326de7889e49007a2cdbe3591', '{"prompt":"shot billed","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225731448, 1767229331448);
INSERT INTO public.job VALUES ('19b76dcf87da4bc3132b2e3a', 'project:film', 'unclear', 'f1:d9730e3dd243baf5a5c042d9265473b0cc8a5c603ce5fbf169ca187b448d0098', '{"prompt":"shot unclear","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225751677, 1767229351677);
INSERT INTO public.job VALUES ('19b76dd47811615105a596e6', 'project:film', 'refused', 'f1:7ea04da6b066c5053bdb811c100d6f0841c277512d2591e6def1959a37709615', '{"prompt":"refused","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225771905, 1767229371905);
INSERT INTO public.job VALUES ('19b76dd47e5464129ca016d3', 'project:film', 'elsewhere', 'f1:ede9b539f1579799dc4ccf4b182f52fc3ed272b80cec9245c98afcda9f2db14f', '{"prompt":"elsewhere","task":"text-to-image"}', '{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225772005, 1767229372005);
INSERT INTO public.job VALUES ('19b76ddbe2d738b85b30bba3', 'project:film', 'found', 'f1:a8f15096b033015db615b19432d098f34f51e62ab6092caca6e6c48e7ee80e3d', '{"prompt":"found in a list","task":"text-to-image"}', '{"max_usd":null,"model":"listing:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225802285, 1767229402285);
INSERT INTO public.job VALUES ('19b76de14cee95e4c8e9758e', 'project:film', 'unknown', 'f1:d359fb11f3f95c28fe689e5049e543de92bb32f458603e3012c6aa08cf396859', '{"prompt":"unknown","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225824462, 1767229424462);
INSERT INTO public.job VALUES ('19b76de15001444480b7c7ad', 'project:film', 'called', 'f1:18920b66e3d99e35a2eec3a0ff02bdeb0117cbd00c0a318b63a4f1e54baab873', '{"prompt":"called back","task":"text-to-image"}', '{"max_usd":null,"model":"calling:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225824512, 1767229424512);
INSERT INTO public.job VALUES ('19b76dfc378480f281d5700a', 'project:film', 'canceled', 'f1:c734a2b399a3461748066981247073295ed1c7ca31097baa7d03207e5476aecd', '{"prompt":"canceled","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225934712, 1767229534712);
INSERT INTO public.job VALUES ('19b76dffed8c22a1f005a4fe', 'project:film', 'submitted', 'f1:c01b80e58883bfdd965eb7c1de612f75ea5e84e87cbff470392c2071bb9b6155', '{"prompt":"under way","task":"text-to-image"}', '{"max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}', 'prototype', '{}', 1767225949912, 1767233149912);

INSERT INTO public.meta VALUES ('schema_version', '2');

INSERT INTO public.output VALUES ('19b76daa8001ca037ea7cdc5', 0, '19b76daa8001ca037ea7cdc5.1', 'fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d');
INSERT INTO public.output VALUES ('19b76dafe3d7be0b990bab19', 0, '19b76dafe3d7be0b990bab19.1', 'de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9');
INSERT INTO public.output VALUES ('19b76db71b7c63e847293495', 0, '19b76db71b7c63e847293495.1', 'b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04');
INSERT INTO public.output VALUES ('19b76dc03d2b480af1798dcf', 0, '19b76dc03d2b480af1798dcf.1', '20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5');
INSERT INTO public.output VALUES ('19b76dd47e5464129ca016d3', 0, '19b76dd47e5464129ca016d3.2', '2c01e481b7871908b359fc11d79982b62d84841b2d98358c7c0b3e2b42c28232');
INSERT INTO public.output VALUES ('19b76ddbe2d738b85b30bba3', 0, '19b76ddbe2d738b85b30bba3.1', 'c4bb337c83f4accf7a6ac34ac4bd63cd9dd78ea9561ae60c92393f2509eef2a8');
INSERT INTO public.output VALUES ('19b76de15001444480b7c7ad', 0, '19b76de15001444480b7c7ad.1', '70b8144f9184813ada310364c84a9a6ed9808216ba05186b77aa5cd3e0143449');

INSERT INTO public.pause VALUES ('memory:second', 'memory/second/image@2025-01-01=0.05', '19b76db71b7c63e847293495.1', 1767225688942, NULL);

INSERT INTO public.service_time VALUES ('memory:second', 1, 3.4838613249219836, 0);
INSERT INTO public.service_time VALUES ('memory:cheap', 3, 2.9519822570853624, 3.482197227202052e-10);
INSERT INTO public.service_time VALUES ('listing:cheap', 1, 2.951974638908464, 0);
INSERT INTO public.service_time VALUES ('calling:cheap', 2, 3.8523244138476995, 1.4371946481263562);

INSERT INTO public.throttle VALUES ('memory', '', 0, 2, 1767225629561);

INSERT INTO public.transfer VALUES ('19b76daa8001ca037ea7cdc5.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76daa8001ca037ea7cdc5.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225600000);
INSERT INTO public.transfer VALUES ('19b76daa8001ca037ea7cdc5.1:post', 'post', '19b76daa8001ca037ea7cdc5.1:hold', 'project:film', 'provider:memory', '19b76daa8001ca037ea7cdc5.1', 40000, 'credit:memory', 4000000, '0.01', 'reported', '{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225621977);
INSERT INTO public.transfer VALUES ('19b76dafe3d7be0b990bab19.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dafe3d7be0b990bab19.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225622077);
INSERT INTO public.transfer VALUES ('19b76dafe3d7be0b990bab19.1:post', 'post', '19b76dafe3d7be0b990bab19.1:hold', 'project:film', 'provider:memory', '19b76dafe3d7be0b990bab19.1', 40000, 'credit:memory', 4000000, '0.01', 'reported', '{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225651539);
INSERT INTO public.transfer VALUES ('19b76db71b7c63e847293495.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76db71b7c63e847293495.1', 50000, 'credit:memory', 5000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"ba77cb20f767","why":""}', 1767225651639);
INSERT INTO public.transfer VALUES ('19b76db71b7c63e847293495.1:post', 'post', '19b76db71b7c63e847293495.1:hold', 'project:film', 'provider:memory', '19b76db71b7c63e847293495.1', 100000, 'credit:memory', 10000000, '0.01', 'reported', '{"amount_usd":"0.10","lines":[{"high":"2","low":"2","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225688942);
INSERT INTO public.transfer VALUES ('19b76dc03d2b480af1798dcf.1:hold', 'pending', NULL, 'project:film/scene', 'provider:memory', '19b76dc03d2b480af1798dcf.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225689042);
INSERT INTO public.transfer VALUES ('19b76dc03d2b480af1798dcf.1:post', 'post', '19b76dc03d2b480af1798dcf.1:hold', 'project:film/scene', 'provider:memory', '19b76dc03d2b480af1798dcf.1', 40000, 'credit:memory', 4000000, '0.01', 'reported', '{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225711119);
INSERT INTO public.transfer VALUES ('19b76dc5a733ab12bb43554d.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dc5a733ab12bb43554d.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225711219);
INSERT INTO public.transfer VALUES ('19b76dc5a733ab12bb43554d.1:void', 'void', '19b76dc5a733ab12bb43554d.1:hold', 'project:film', 'provider:memory', '19b76dc5a733ab12bb43554d.1', 40000, 'credit:memory', 4000000, '0.01', 'released', '{"why":"JobFailedError"}', 1767225731448);
INSERT INTO public.transfer VALUES ('19b76dca978c8a899e46fd1c.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dca978c8a899e46fd1c.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225731448);
INSERT INTO public.transfer VALUES ('19b76dca978c8a899e46fd1c.1:post', 'post', '19b76dca978c8a899e46fd1c.1:hold', 'project:film', 'provider:memory', '19b76dca978c8a899e46fd1c.1', 40000, 'credit:memory', 4000000, '0.01', 'computed', '{"why":"failures are billed"}', 1767225751677);
INSERT INTO public.transfer VALUES ('19b76dcf87da4bc3132b2e3a.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dcf87da4bc3132b2e3a.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225751677);
INSERT INTO public.transfer VALUES ('19b76dd47811615105a596e6.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dd47811615105a596e6.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225771905);
INSERT INTO public.transfer VALUES ('19b76dd47811615105a596e6.1:void', 'void', '19b76dd47811615105a596e6.1:hold', 'project:film', 'provider:memory', '19b76dd47811615105a596e6.1', 40000, 'credit:memory', 4000000, '0.01', 'released', '{"why":"ContentPolicyError"}', 1767225772005);
INSERT INTO public.transfer VALUES ('19b76dd47e5464129ca016d3.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dd47e5464129ca016d3.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225772005);
INSERT INTO public.transfer VALUES ('19b76dd47e5464129ca016d3.1:void', 'void', '19b76dd47e5464129ca016d3.1:hold', 'project:film', 'provider:memory', '19b76dd47e5464129ca016d3.1', 40000, 'credit:memory', 4000000, '0.01', 'released', '{"why":"QuotaError"}', 1767225772105);
INSERT INTO public.transfer VALUES ('19b76dd47e5464129ca016d3.2:hold', 'pending', NULL, 'project:film', 'provider:calling', '19b76dd47e5464129ca016d3.2', 60000, NULL, NULL, NULL, 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""}', 1767225772105);
INSERT INTO public.transfer VALUES ('19b76dd47e5464129ca016d3.2:post', 'post', '19b76dd47e5464129ca016d3.2:hold', 'project:film', 'provider:calling', '19b76dd47e5464129ca016d3.2', 60000, NULL, NULL, NULL, 'reported', '{"amount_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225802185);
INSERT INTO public.transfer VALUES ('19b76ddbe2d738b85b30bba3.1:hold', 'pending', NULL, 'project:film', 'provider:listing', '19b76ddbe2d738b85b30bba3.1', 70000, NULL, NULL, NULL, 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"ba77cb20f767","why":""}', 1767225802285);
INSERT INTO public.transfer VALUES ('19b76ddbe2d738b85b30bba3.1:post', 'post', '19b76ddbe2d738b85b30bba3.1:hold', 'project:film', 'provider:listing', '19b76ddbe2d738b85b30bba3.1', 70000, NULL, NULL, NULL, 'reported', '{"amount_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225824362);
INSERT INTO public.transfer VALUES ('19b76de14cee95e4c8e9758e.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76de14cee95e4c8e9758e.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225824462);
INSERT INTO public.transfer VALUES ('19b76de15001444480b7c7ad.1:hold', 'pending', NULL, 'project:film', 'provider:calling', '19b76de15001444480b7c7ad.1', 60000, NULL, NULL, NULL, 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"ba77cb20f767","why":""}', 1767225824512);
INSERT INTO public.transfer VALUES ('19b76de15001444480b7c7ad.1:post', 'post', '19b76de15001444480b7c7ad.1:hold', 'project:film', 'provider:calling', '19b76de15001444480b7c7ad.1', 60000, NULL, NULL, NULL, 'reported', '{"amount_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"calling/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"ba77cb20f767","unpriced":false}', 1767225934612);
INSERT INTO public.transfer VALUES ('19b76dfc378480f281d5700a.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dfc378480f281d5700a.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225934712);
INSERT INTO public.transfer VALUES ('19b76dffed8c22a1f005a4fe.1:hold', 'pending', NULL, 'project:film', 'provider:memory', '19b76dffed8c22a1f005a4fe.1', 40000, 'credit:memory', 4000000, '0.01', 'quote', '{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"ba77cb20f767","why":""}', 1767225949912);

SELECT pg_catalog.setval('public.event_seq_seq', 58, true);

SELECT pg_catalog.setval('public.inbox_seq_seq', 1, true);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.artifact
    ADD CONSTRAINT artifact_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.budget
    ADD CONSTRAINT budget_pkey PRIMARY KEY (account, period);

ALTER TABLE ONLY public.credit_rate
    ADD CONSTRAINT credit_rate_pkey PRIMARY KEY (currency, from_at);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT one_attempt_per_number UNIQUE (job, n);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT one_attempt_per_remote_job UNIQUE (provider, account_ref, remote_id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT one_job_per_key UNIQUE (project, key);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT one_row_per_delivery UNIQUE (source, msg_id);

ALTER TABLE ONLY public.output
    ADD CONSTRAINT output_pkey PRIMARY KEY (job, n);

ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (offer, rates);

ALTER TABLE ONLY public.service_time
    ADD CONSTRAINT service_time_pkey PRIMARY KEY (offer);

ALTER TABLE ONLY public.throttle
    ADD CONSTRAINT throttle_pkey PRIMARY KEY (provider, account_ref);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (id);

CREATE INDEX attempt_by_state ON public.attempt USING btree (state);

CREATE INDEX inbox_by_attempt ON public.inbox USING btree (attempt);

CREATE INDEX inbox_by_remote_job ON public.inbox USING btree (source, remote_id);

CREATE INDEX inbox_waiting ON public.inbox USING btree (seq) WHERE (handled_at IS NULL);

CREATE UNIQUE INDEX one_live ON public.attempt USING btree (job) WHERE (state <> ALL (ARRAY['stored'::text, 'failed'::text, 'refused'::text, 'canceled'::text, 'lost'::text]));

CREATE UNIQUE INDEX one_resolution ON public.transfer USING btree (pending_id) WHERE (kind = ANY (ARRAY['post'::text, 'void'::text]));

CREATE INDEX transfer_by_attempt ON public.transfer USING btree (attempt);

CREATE TRIGGER credit_rate_no_truncate BEFORE TRUNCATE ON public.credit_rate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER credit_rate_no_update BEFORE DELETE OR UPDATE ON public.credit_rate FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER event_no_update BEFORE DELETE OR UPDATE ON public.event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER transfer_no_update BEFORE DELETE OR UPDATE ON public.transfer FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_parent_fkey FOREIGN KEY (parent) REFERENCES public.account(id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_window_of_fkey FOREIGN KEY (window_of) REFERENCES public.account(id);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_job_fkey FOREIGN KEY (job) REFERENCES public.job(id);

ALTER TABLE ONLY public.budget
    ADD CONSTRAINT budget_account_fkey FOREIGN KEY (account) REFERENCES public.account(id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_project_fkey FOREIGN KEY (project) REFERENCES public.account(id);

ALTER TABLE ONLY public.output
    ADD CONSTRAINT output_attempt_fkey FOREIGN KEY (attempt) REFERENCES public.attempt(id);

ALTER TABLE ONLY public.output
    ADD CONSTRAINT output_job_fkey FOREIGN KEY (job) REFERENCES public.job(id);

ALTER TABLE ONLY public.output
    ADD CONSTRAINT output_sha256_fkey FOREIGN KEY (sha256) REFERENCES public.artifact(sha256);

ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_attempt_fkey FOREIGN KEY (attempt) REFERENCES public.attempt(id);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_attempt_fkey FOREIGN KEY (attempt) REFERENCES public.attempt(id);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_debit_fkey FOREIGN KEY (debit) REFERENCES public.account(id);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pending_id_fkey FOREIGN KEY (pending_id) REFERENCES public.transfer(id);
