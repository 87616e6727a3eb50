-- A store of schema version 1, as its library wrote it. Never edited.
BEGIN TRANSACTION;
CREATE TABLE account (
	id TEXT NOT NULL,
	parent TEXT,
	currency TEXT DEFAULT 'USD' NOT NULL,
	cap INTEGER,
	held INTEGER DEFAULT '0' NOT NULL,
	settled INTEGER DEFAULT '0' NOT NULL,
	overrun INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT held_not_negative CHECK (held >= 0),
	CONSTRAINT settled_not_negative CHECK (settled >= 0),
	CONSTRAINT within_cap CHECK (cap IS NULL OR held + settled <= cap + overrun),
	FOREIGN KEY(parent) REFERENCES account (id)
)
 STRICT

;
INSERT INTO "account" VALUES('organisation',NULL,'USD',NULL,80000,250000,40000);
INSERT INTO "account" VALUES('project:film','organisation','USD',100000000,80000,250000,40000);
CREATE TABLE artifact (
	sha256 TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	mime_type TEXT NOT NULL,
	path TEXT NOT NULL,
	facts TEXT,
	PRIMARY KEY (sha256)
)
 STRICT

;
INSERT INTO "artifact" VALUES('fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d',77,'image/png','fd/fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d.png',NULL);
INSERT INTO "artifact" VALUES('de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9',77,'image/png','de/de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9.png',NULL);
INSERT INTO "artifact" VALUES('b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04',77,'image/png','b3/b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04.png',NULL);
INSERT INTO "artifact" VALUES('8e79d58a4bf02726b2642a3a7fe946f4f92b418728d28c3b2d077c4ba813438b',77,'image/png','8e/8e79d58a4bf02726b2642a3a7fe946f4f92b418728d28c3b2d077c4ba813438b.png',NULL);
CREATE TABLE attempt (
	id TEXT NOT NULL,
	job TEXT NOT NULL,
	n INTEGER NOT NULL,
	provider TEXT NOT NULL,
	endpoint TEXT NOT NULL,
	model TEXT NOT NULL,
	account_ref TEXT NOT NULL,
	table_checked TEXT NOT NULL,
	"plan" TEXT NOT NULL,
	reuse_address TEXT NOT NULL,
	reserved INTEGER NOT NULL,
	body TEXT,
	state TEXT NOT NULL,
	wire TEXT,
	idempotency_key TEXT NOT NULL,
	maybe_sent INTEGER DEFAULT '0' NOT NULL,
	sends INTEGER DEFAULT '0' NOT NULL,
	remote_id TEXT,
	handle TEXT,
	delivery TEXT,
	error TEXT,
	warnings TEXT NOT NULL,
	lease_owner TEXT,
	lease_until INTEGER,
	submitted_at INTEGER,
	finished_at INTEGER,
	version INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_attempt_per_number UNIQUE (job, n),
	CONSTRAINT one_attempt_per_remote_job UNIQUE (provider, account_ref, remote_id),
	FOREIGN KEY(job) REFERENCES job (id)
)
 STRICT

;
INSERT INTO "attempt" VALUES('19b76daa8008d43d0e19aa54.1','19b76daa8008d43d0e19aa54',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot stored"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot stored","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:537cedd9d6efa8e573650de0004c1a226b6f658e00c0d5bd46ce94919144acd7',40000,'{"endpoint":"cheap","prompt":"shot stored"}','stored','succeeded','19b76daa8008d43d0e19aa54.1',0,1,'memory-1','{"dialect":"","endpoint":"cheap","id":"memory-1","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-1.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225600100,1767225622068,3);
INSERT INTO "attempt" VALUES('19b76dafe345250da9b4accf.1','19b76dafe345250da9b4accf',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot repeated"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot repeated","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:dc62ad74b193ee9aecb7fa12faaf261b65647c96a5020cecab789aeb83e0deb1',40000,'{"endpoint":"cheap","prompt":"shot repeated"}','stored','succeeded','19b76dafe345250da9b4accf.1',0,3,'memory-2','{"dialect":"","endpoint":"cheap","id":"memory-2","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-2.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225629791,1767225651759,7);
INSERT INTO "attempt" VALUES('19b76db722f8b5a60b106376.1','19b76db722f8b5a60b106376',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot overrun"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot overrun","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:a5fbaff9c54b13215954d142eecc13514a72f3be0c7a70e40bf46a559217287f',40000,'{"endpoint":"cheap","prompt":"shot overrun"}','stored','succeeded','19b76db722f8b5a60b106376.1',0,1,'memory-3','{"dialect":"","endpoint":"cheap","id":"memory-3","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-3.png?n=0"}],"refs":{},"reported":{"image":"2"}}',NULL,'[]',NULL,NULL,1767225651859,1767225657609,3);
INSERT INTO "attempt" VALUES('19b76db8909cd8c507d6b136.1','19b76db8909cd8c507d6b136',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot unknown"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot unknown","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:4644e5b793524fe503b6f07ae0a84ecba31587714979ba99da3d7e2093b33606',40000,'{"endpoint":"cheap","prompt":"shot unknown"}','unknown',NULL,'19b76db8909cd8c507d6b136.1',1,1,NULL,NULL,NULL,'{"accepted":null,"code":null,"job_id":"19b76db8909cd8c507d6b136","message":"memory, submitting: no answer (the line was cut). Job 19b76db8909cd8c507d6b136 may have been accepted and charged: its money stays reserved (attempt 19b76db8909cd8c507d6b136.1). Do not order it again under another key; look for it at memory","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"UnavailableError"}','[]',NULL,NULL,NULL,NULL,1);
INSERT INTO "attempt" VALUES('19b76db896d7f792af57e45a.1','19b76db896d7f792af57e45a',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot failed"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot failed","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:a301961884f60bd4f62541598b40cc8f9c0ed44e79486343dfd7c9d267738a33',40000,'{"endpoint":"cheap","prompt":"shot failed"}','failed','failed','19b76db896d7f792af57e45a.1',0,1,'memory-5','{"dialect":"","endpoint":"cheap","id":"memory-5","model":"memory-cheap","task":"text-to-image","version":""}',NULL,'{"accepted":true,"code":"failed_free","job_id":"19b76db896d7f792af57e45a","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}','[]',NULL,NULL,1767225657809,1767225665965,2);
INSERT INTO "attempt" VALUES('19b76dba9ad36dcfab8c7658.1','19b76dba9ad36dcfab8c7658',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot billed"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot billed","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:a6459dcd30fa990aacb5f875a1b843585c2da22ed6e11951361ff677cb92830e',40000,'{"endpoint":"cheap","prompt":"shot billed"}','failed','failed','19b76dba9ad36dcfab8c7658.1',0,1,'memory-6','{"dialect":"","endpoint":"cheap","id":"memory-6","model":"memory-cheap","task":"text-to-image","version":""}',NULL,'{"accepted":true,"code":"failed_billed","job_id":"19b76dba9ad36dcfab8c7658","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}','[]',NULL,NULL,1767225666065,1767225674221,2);
INSERT INTO "attempt" VALUES('19b76dbc9ed25e550f817c26.1','19b76dbc9ed25e550f817c26',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot refused"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot refused","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:43fbaab63b849ef5b8d796644dd0be8e904f7e51b02d6a7c6fb066279ade2035',40000,'{"endpoint":"cheap","prompt":"shot refused"}','refused',NULL,'19b76dbc9ed25e550f817c26.1',0,1,NULL,NULL,NULL,'{"accepted":false,"code":"moderated","job_id":"19b76dbc9ed25e550f817c26","message":"memory, submitting: HTTP 422 moderated: the prompt is refused. Change the request; it is not sent anywhere else by itself","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":422,"task":"text-to-image","type":"ContentPolicyError"}','[]',NULL,NULL,NULL,1767225674321,1);
INSERT INTO "attempt" VALUES('19b76dbca513d9a17c3837b2.1','19b76dbca513d9a17c3837b2',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot second"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot second","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:3c69b83e9a95fba7bc08502ba88d3c33fb6239deca78bc435c4584cf12c7f07c',40000,'{"endpoint":"cheap","prompt":"shot second"}','refused',NULL,'19b76dbca513d9a17c3837b2.1',0,1,NULL,NULL,NULL,'{"accepted":false,"code":"quota","job_id":"19b76dbca513d9a17c3837b2","message":"memory, submitting: HTTP 402 quota: no credit. Add credit at the provider, or route elsewhere","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":402,"task":"text-to-image","type":"QuotaError"}','[]',NULL,NULL,NULL,1767225674421,1);
INSERT INTO "attempt" VALUES('19b76dbca513d9a17c3837b2.2','19b76dbca513d9a17c3837b2',2,'memory','second','memory-second','','2026-11-21','{"alternatives":[],"body":{"endpoint":"second","prompt":"shot second"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-second","names":{"dialect":"","endpoint":"second","model":"memory-second","task":"text-to-image","version":""},"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot second","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:second is pinned"}','r1:347a59216cafb3bc0a3650c34c9f1c7c257b862199ad7fcd1f3d5cb036f33aca',50000,'{"endpoint":"second","prompt":"shot second"}','stored','succeeded','19b76dbca513d9a17c3837b2.2',0,1,'memory-7','{"dialect":"","endpoint":"second","id":"memory-7","model":"memory-second","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-7.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225674521,1767225696500,3);
INSERT INTO "attempt" VALUES('19b76dc20f4291fe4096c377.1','19b76dc20f4291fe4096c377',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"excluded":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""},"tier":"workhorse"}],"body":{"endpoint":"cheap","prompt":"shot running"},"chosen":{"adjustments":[],"excluded":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"tier":"workhorse"},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot running","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of 2 that fit"}','r1:3144d2dda3db8fa999c8b2ff0b1f8ae6cf451d64d008e3812e9724014ed2aa53',40000,'{"endpoint":"cheap","prompt":"shot running"}','submitted','queued','19b76dc20f4291fe4096c377.1',0,1,'memory-8','{"dialect":"","endpoint":"cheap","id":"memory-8","model":"memory-cheap","task":"text-to-image","version":""}',NULL,NULL,'[]','machine/boot/pid:[1]/10/20/0badcafe',NULL,1767225696600,NULL,1);
CREATE TABLE event (
	seq INTEGER NOT NULL,
	attempt TEXT,
	at INTEGER NOT NULL,
	kind TEXT NOT NULL,
	data TEXT NOT NULL,
	hash TEXT NOT NULL,
	PRIMARY KEY (seq)
)
 STRICT

;
INSERT INTO "event" VALUES(1,'19b76daa8008d43d0e19aa54.1',1767225600000,'submitting','{"offer":"memory:cheap"}','cb3f76380f5a8aba48d94e059dcf72ed309c301b3204d5d384d8d3415c244ee8');
INSERT INTO "event" VALUES(2,'19b76daa8008d43d0e19aa54.1',1767225600100,'submitted','{}','f1a1abd36c87e4d5010abc948204b661824c34a3c130710edb324c971cb020aa');
INSERT INTO "event" VALUES(3,'19b76daa8008d43d0e19aa54.1',1767225621968,'succeeded','{}','d42ba83e4552409a8f6bf67a23bfd7ecd0987f41be48aedc62d82f6f7a0ef928');
INSERT INTO "event" VALUES(4,'19b76daa8008d43d0e19aa54.1',1767225622068,'stored','{}','ff5df0a91c76039b33092b3c25b2c7cc5ee38a486f537a52043a2aaf06666685');
INSERT INTO "event" VALUES(5,'19b76dafe345250da9b4accf.1',1767225622068,'submitting','{"offer":"memory:cheap"}','40bc9435715f234d08a9e992e2d18e2263a3926299f540ac9a54035959567638');
INSERT INTO "event" VALUES(6,'19b76dafe345250da9b4accf.1',1767225622118,'reserved','{"outcome":"never_sent"}','411aed53f85d765776e5c088760319c25fa4fe44a2ab00c14085588b3c6580fe');
INSERT INTO "event" VALUES(7,'19b76dafe345250da9b4accf.1',1767225622591,'submitting','{}','664945d61827b32071173a8e11f1523b687b187353318dac422f1ca1605b20e6');
INSERT INTO "event" VALUES(8,'19b76dafe345250da9b4accf.1',1767225622691,'reserved','{"outcome":"rejected"}','47880e8a313b8e0f429587441297ff300f93601c66272ff872af2b1a7ddc9aa4');
INSERT INTO "event" VALUES(9,'19b76dafe345250da9b4accf.1',1767225629691,'submitting','{}','b932bdbf515582b1fdb26f5c39ada272247c6b34720b31a9e6dbaf1eddd54eb6');
INSERT INTO "event" VALUES(10,'19b76dafe345250da9b4accf.1',1767225629791,'submitted','{}','e69992567dce54875b93d4a992e5ee510373043efb3d4e0f74c50c7b6d122f51');
INSERT INTO "event" VALUES(11,'19b76dafe345250da9b4accf.1',1767225651659,'succeeded','{}','2a8a5640cf83122c6abc0821f70092e928f1d37507445a24dcea7a99863533d3');
INSERT INTO "event" VALUES(12,'19b76dafe345250da9b4accf.1',1767225651759,'stored','{}','dc88f38521020d27261cd98315210dbaef58ea2b3e0f3c821030435b16ddcee8');
INSERT INTO "event" VALUES(13,'19b76db722f8b5a60b106376.1',1767225651759,'submitting','{"offer":"memory:cheap"}','d596fccc5e5aad6e41d2f8733eda5ce6013eb683f264b80af7797ba847175f7d');
INSERT INTO "event" VALUES(14,'19b76db722f8b5a60b106376.1',1767225651859,'submitted','{}','1c3f93cea49bf2ee04325dbc72348d787579123f414b77df1178baf15096c826');
INSERT INTO "event" VALUES(15,'19b76db722f8b5a60b106376.1',1767225657509,'succeeded','{}','22a24fb0f42d5127a92d69207baa7afaba98587dc575b9411de88e79e6476897');
INSERT INTO "event" VALUES(16,'19b76db722f8b5a60b106376.1',1767225657609,'stored','{}','18556e193cfc9b470d73b1b92412e89d96173b71b349f557d883d80e479fc225');
INSERT INTO "event" VALUES(17,'19b76db8909cd8c507d6b136.1',1767225657609,'submitting','{"offer":"memory:cheap"}','a7a07c81cc82e5a5344e33ab312b8e342d42f27ce1aef5907887a08a6d12005d');
INSERT INTO "event" VALUES(18,'19b76db8909cd8c507d6b136.1',1767225657709,'unknown','{}','2a25ee15dce6352814b3a1c61a207e39dd6acb631319bf962ff9f8ae9a0c8985');
INSERT INTO "event" VALUES(19,'19b76db896d7f792af57e45a.1',1767225657709,'submitting','{"offer":"memory:cheap"}','fa58cfccd07f79138325451576c6c10a8989b90f2269e79b1fbb277a51e200cb');
INSERT INTO "event" VALUES(20,'19b76db896d7f792af57e45a.1',1767225657809,'submitted','{}','473ab5fd712019bd70c7958a201c4b35e4488cfd7bfe88874a19d7b449794aa6');
INSERT INTO "event" VALUES(21,'19b76db896d7f792af57e45a.1',1767225665965,'failed','{}','c80f1c34da2d39835bfc4427bbcb80efccaf2e557c6b0669ab8fa1b06a6cf1a6');
INSERT INTO "event" VALUES(22,'19b76dba9ad36dcfab8c7658.1',1767225665965,'submitting','{"offer":"memory:cheap"}','29118eb2c067fda031d7eddd4b6ad8039fd9ca7112178d3594860a225f23907a');
INSERT INTO "event" VALUES(23,'19b76dba9ad36dcfab8c7658.1',1767225666065,'submitted','{}','15c93d45c274f2b129f5fe2a17f3553333b1950600d1626096702e403427e1da');
INSERT INTO "event" VALUES(24,'19b76dba9ad36dcfab8c7658.1',1767225674221,'failed','{}','1bd7945f2b9a6dbdf831d4d170b59b601fc49dbfb02d31170c8a3056b94ffa72');
INSERT INTO "event" VALUES(25,'19b76dbc9ed25e550f817c26.1',1767225674221,'submitting','{"offer":"memory:cheap"}','c2e27106b79a9917e863ff7f35a41761e1272ab23c06394c56a5a7a954cd70a4');
INSERT INTO "event" VALUES(26,'19b76dbc9ed25e550f817c26.1',1767225674321,'refused','{"error":"ContentPolicyError"}','939ed24e7243cd21ee543eb21fd0d5e53511ca703294a70efedf0b91e07e1ffe');
INSERT INTO "event" VALUES(27,'19b76dbca513d9a17c3837b2.1',1767225674321,'submitting','{"offer":"memory:cheap"}','b9f937bb3942e401504ef8913e7b416b62db60f676fe5e69c8c1350616b0b661');
INSERT INTO "event" VALUES(28,'19b76dbca513d9a17c3837b2.1',1767225674421,'refused','{"error":"QuotaError"}','4722384d60a837cda5938daf9f8ea7de7237cf0fa32af31ea733a157347c1801');
INSERT INTO "event" VALUES(29,'19b76dbca513d9a17c3837b2.2',1767225674421,'submitting','{"offer":"memory:second"}','110d8b6cd44978f62decaa1543f9bcbef4c16272281eefbee7d81f0fe0cd81ab');
INSERT INTO "event" VALUES(30,'19b76dbca513d9a17c3837b2.2',1767225674521,'submitted','{}','1ed33052f2936e3a5ba423cce58cbb479643b527c83862cf8c89a4960c7ade03');
INSERT INTO "event" VALUES(31,'19b76dbca513d9a17c3837b2.2',1767225696400,'succeeded','{}','972ea062ab2ace058565bdd6f1681460bed396aa007178bceb4699e822d0d4a9');
INSERT INTO "event" VALUES(32,'19b76dbca513d9a17c3837b2.2',1767225696500,'stored','{}','5e2db69d08b328ff4499e05355b040224349b3bdd48dd248b8d8dbfe529ed850');
INSERT INTO "event" VALUES(33,'19b76dc20f4291fe4096c377.1',1767225696500,'submitting','{"offer":"memory:cheap"}','0e71c445f5d99afde5dcc54f98581287dd46ee67fbcc902a2daac58ae53bd706');
INSERT INTO "event" VALUES(34,'19b76dc20f4291fe4096c377.1',1767225696600,'submitted','{}','53761e573e243f6466d7bb2a2dad5c4960fec4b9dd010498a5600210ae1f9aa6');
CREATE TABLE job (
	id TEXT NOT NULL,
	project TEXT NOT NULL,
	"key" TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	request TEXT NOT NULL,
	ask TEXT NOT NULL,
	stage TEXT NOT NULL,
	tags TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	deadline_at INTEGER NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_job_per_key UNIQUE (project, "key"),
	FOREIGN KEY(project) REFERENCES account (id)
)
 STRICT

;
INSERT INTO "job" VALUES('19b76daa8008d43d0e19aa54','project:film','stored','f1:7c22f24638f8b0ec162d31e4f96cdb8b0e04308583258799d475515fea9d535c','{"prompt":"shot stored","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"stored"}',1767225600000,1767229200000);
INSERT INTO "job" VALUES('19b76dafe345250da9b4accf','project:film','repeated','f1:8be34145e51ba1cca9e87dcd0d1087231255ea05aa60e19ace30ee28c390709e','{"prompt":"shot repeated","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"repeated"}',1767225622068,1767229222068);
INSERT INTO "job" VALUES('19b76db722f8b5a60b106376','project:film','overrun','f1:78133c2b5f4e98431289cd0b3742a83d8360ffe05cf31356a20c1138f05b9ce7','{"prompt":"shot overrun","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"overrun"}',1767225651759,1767229251759);
INSERT INTO "job" VALUES('19b76db8909cd8c507d6b136','project:film','unknown','f1:4003eb5e48dc24517f9b66eeb6a5970da569343a1ec1951e89ab333f4068618b','{"prompt":"shot unknown","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"unknown"}',1767225657609,1767225717609);
INSERT INTO "job" VALUES('19b76db896d7f792af57e45a','project:film','failed','f1:f95af31c2dc0250d78c33883e4f68f53dbc1daa2df5d2770a8a66412f5da3ff7','{"prompt":"shot failed","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"failed"}',1767225657709,1767229257709);
INSERT INTO "job" VALUES('19b76dba9ad36dcfab8c7658','project:film','billed','f1:a9dd1196a1ab6ebf0d660cfca072a52773c50a287de86c6661d0ede9522e0916','{"prompt":"shot billed","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"billed"}',1767225665965,1767229265965);
INSERT INTO "job" VALUES('19b76dbc9ed25e550f817c26','project:film','refused','f1:4a083d7180cd84548f084ca64f74bb62af327249fc6bb3e2ec067dd93d3ab780','{"prompt":"shot refused","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"refused"}',1767225674221,1767229274221);
INSERT INTO "job" VALUES('19b76dbca513d9a17c3837b2','project:film','second','f1:413b98ead0e038386c45e6e0ee389884ae05ba93f4681e54fbeac9beb7cf9512','{"prompt":"shot second","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"second"}',1767225674321,1767229274321);
INSERT INTO "job" VALUES('19b76dc20f4291fe4096c377','project:film','running','f1:4dd4a53d7faee94f81055a7ddbcd72e27ccdaddfa3126838e43be5eaac8e4961','{"prompt":"shot running","task":"text-to-image"}','{"max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"running"}',1767225696500,1767425696500);
CREATE TABLE meta (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY ("key")
)
 STRICT

;
INSERT INTO "meta" VALUES('schema_version','1');
CREATE TABLE output (
	job TEXT NOT NULL,
	n INTEGER NOT NULL,
	attempt TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	PRIMARY KEY (job, n),
	FOREIGN KEY(job) REFERENCES job (id),
	FOREIGN KEY(attempt) REFERENCES attempt (id),
	FOREIGN KEY(sha256) REFERENCES artifact (sha256)
)
 STRICT

;
INSERT INTO "output" VALUES('19b76daa8008d43d0e19aa54',0,'19b76daa8008d43d0e19aa54.1','fd7df445c31e87151ee5a2d5dd8df6228d5176d2487d1145420f8d0813df668d');
INSERT INTO "output" VALUES('19b76dafe345250da9b4accf',0,'19b76dafe345250da9b4accf.1','de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9');
INSERT INTO "output" VALUES('19b76db722f8b5a60b106376',0,'19b76db722f8b5a60b106376.1','b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04');
INSERT INTO "output" VALUES('19b76dbca513d9a17c3837b2',0,'19b76dbca513d9a17c3837b2.2','8e79d58a4bf02726b2642a3a7fe946f4f92b418728d28c3b2d077c4ba813438b');
CREATE TABLE service_time (
	offer TEXT NOT NULL,
	weight REAL NOT NULL,
	mean_log_s REAL NOT NULL,
	square_log_s REAL NOT NULL,
	PRIMARY KEY (offer)
)
 STRICT

;
INSERT INTO "service_time" VALUES('memory:cheap',3.0,2.49821388791533571804e+00,1.2331473017907883527e+00);
INSERT INTO "service_time" VALUES('memory:second',1.0,2.95205230969080067993e+00,0.0);
CREATE TABLE transfer (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	pending_id TEXT,
	debit TEXT NOT NULL,
	credit TEXT NOT NULL,
	attempt TEXT NOT NULL,
	amount INTEGER NOT NULL,
	source TEXT NOT NULL,
	basis TEXT NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT known_kind CHECK (kind IN ('pending', 'post', 'void', 'adjust')),
	CONSTRAINT amount_not_negative CHECK (amount >= 0),
	FOREIGN KEY(pending_id) REFERENCES transfer (id),
	FOREIGN KEY(debit) REFERENCES account (id),
	FOREIGN KEY(attempt) REFERENCES attempt (id)
)
 STRICT

;
INSERT INTO "transfer" VALUES('19b76daa8008d43d0e19aa54.1:hold','pending',NULL,'project:film','provider:memory','19b76daa8008d43d0e19aa54.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225600000);
INSERT INTO "transfer" VALUES('19b76daa8008d43d0e19aa54.1:post','post','19b76daa8008d43d0e19aa54.1:hold','project:film','provider:memory','19b76daa8008d43d0e19aa54.1',40000,'reported','{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"9c7bfc29da0c","unpriced":false}',1767225621968);
INSERT INTO "transfer" VALUES('19b76dafe345250da9b4accf.1:hold','pending',NULL,'project:film','provider:memory','19b76dafe345250da9b4accf.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225622068);
INSERT INTO "transfer" VALUES('19b76dafe345250da9b4accf.1:post','post','19b76dafe345250da9b4accf.1:hold','project:film','provider:memory','19b76dafe345250da9b4accf.1',40000,'reported','{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"9c7bfc29da0c","unpriced":false}',1767225651659);
INSERT INTO "transfer" VALUES('19b76db722f8b5a60b106376.1:hold','pending',NULL,'project:film','provider:memory','19b76db722f8b5a60b106376.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225651759);
INSERT INTO "transfer" VALUES('19b76db722f8b5a60b106376.1:post','post','19b76db722f8b5a60b106376.1:hold','project:film','provider:memory','19b76db722f8b5a60b106376.1',80000,'reported','{"amount_usd":"0.08","lines":[{"high":"2","low":"2","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"9c7bfc29da0c","unpriced":false}',1767225657509);
INSERT INTO "transfer" VALUES('19b76db8909cd8c507d6b136.1:hold','pending',NULL,'project:film','provider:memory','19b76db8909cd8c507d6b136.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225657609);
INSERT INTO "transfer" VALUES('19b76db896d7f792af57e45a.1:hold','pending',NULL,'project:film','provider:memory','19b76db896d7f792af57e45a.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225657709);
INSERT INTO "transfer" VALUES('19b76db896d7f792af57e45a.1:void','void','19b76db896d7f792af57e45a.1:hold','project:film','provider:memory','19b76db896d7f792af57e45a.1',40000,'released','{"why":"JobFailedError"}',1767225665965);
INSERT INTO "transfer" VALUES('19b76dba9ad36dcfab8c7658.1:hold','pending',NULL,'project:film','provider:memory','19b76dba9ad36dcfab8c7658.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225665965);
INSERT INTO "transfer" VALUES('19b76dba9ad36dcfab8c7658.1:post','post','19b76dba9ad36dcfab8c7658.1:hold','project:film','provider:memory','19b76dba9ad36dcfab8c7658.1',40000,'computed','{"why":"failures are billed"}',1767225674221);
INSERT INTO "transfer" VALUES('19b76dbc9ed25e550f817c26.1:hold','pending',NULL,'project:film','provider:memory','19b76dbc9ed25e550f817c26.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225674221);
INSERT INTO "transfer" VALUES('19b76dbc9ed25e550f817c26.1:void','void','19b76dbc9ed25e550f817c26.1:hold','project:film','provider:memory','19b76dbc9ed25e550f817c26.1',40000,'released','{"why":"ContentPolicyError"}',1767225674321);
INSERT INTO "transfer" VALUES('19b76dbca513d9a17c3837b2.1:hold','pending',NULL,'project:film','provider:memory','19b76dbca513d9a17c3837b2.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225674321);
INSERT INTO "transfer" VALUES('19b76dbca513d9a17c3837b2.1:void','void','19b76dbca513d9a17c3837b2.1:hold','project:film','provider:memory','19b76dbca513d9a17c3837b2.1',40000,'released','{"why":"QuotaError"}',1767225674421);
INSERT INTO "transfer" VALUES('19b76dbca513d9a17c3837b2.2:hold','pending',NULL,'project:film','provider:memory','19b76dbca513d9a17c3837b2.2',50000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"9c7bfc29da0c","why":""}',1767225674421);
INSERT INTO "transfer" VALUES('19b76dbca513d9a17c3837b2.2:post','post','19b76dbca513d9a17c3837b2.2:hold','project:film','provider:memory','19b76dbca513d9a17c3837b2.2',50000,'reported','{"amount_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"source":"reported","table":"9c7bfc29da0c","unpriced":false}',1767225696400);
INSERT INTO "transfer" VALUES('19b76dc20f4291fe4096c377.1:hold','pending',NULL,'project:film','provider:memory','19b76dc20f4291fe4096c377.1',40000,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"9c7bfc29da0c","why":""}',1767225696500);
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event rows are immutable'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event rows are immutable'); END;
CREATE UNIQUE INDEX one_live ON attempt (job) WHERE state NOT IN ('stored', 'failed', 'refused', 'canceled', 'lost');
CREATE INDEX attempt_by_state ON attempt (state);
CREATE UNIQUE INDEX one_resolution ON transfer (pending_id) WHERE kind IN ('post', 'void');
CREATE INDEX transfer_by_attempt ON transfer (attempt);
CREATE TRIGGER transfer_no_update BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer rows are immutable'); END;
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer rows are immutable'); END;
COMMIT;
