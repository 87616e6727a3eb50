-- A store of schema version 3, as its library wrote it. Never edited.
BEGIN TRANSACTION;
CREATE TABLE account (
	id TEXT NOT NULL,
	parent TEXT,
	currency TEXT DEFAULT 'USD' NOT NULL,
	cap INTEGER,
	held INTEGER DEFAULT '0' NOT NULL,
	settled INTEGER DEFAULT '0' NOT NULL,
	overrun INTEGER DEFAULT '0' NOT NULL,
	warned INTEGER DEFAULT '0' NOT NULL,
	window_of TEXT,
	from_at INTEGER,
	until_at INTEGER,
	PRIMARY KEY (id),
	CONSTRAINT held_not_negative CHECK (held >= 0),
	CONSTRAINT settled_not_negative CHECK (settled >= 0),
	CONSTRAINT within_cap CHECK (cap IS NULL OR held + settled <= cap + overrun),
	FOREIGN KEY(parent) REFERENCES account (id),
	FOREIGN KEY(window_of) REFERENCES account (id)
)
 STRICT

;
INSERT INTO "account" VALUES('organisation',NULL,'USD',NULL,80000,500000,50000,0,NULL,NULL,NULL);
INSERT INTO "account" VALUES('organisation@month/2026-01',NULL,'USD',1000000000,80000,500000,50000,0,'organisation',1767225600000,1769904000000);
INSERT INTO "account" VALUES('credits:memory',NULL,'credit:memory',5000000000,8000000,31000000,5000000,0,NULL,NULL,NULL);
INSERT INTO "account" VALUES('project:film','organisation','USD',100000000,80000,500000,50000,0,NULL,NULL,NULL);
INSERT INTO "account" VALUES('project:film@day/2026-01-01',NULL,'USD',20000000,80000,500000,50000,0,'project:film',1767225600000,1767312000000);
INSERT INTO "account" VALUES('project:film@month/2026-01',NULL,'USD',50000000,80000,500000,50000,0,'project:film',1767225600000,1769904000000);
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
INSERT INTO "artifact" VALUES('20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5',77,'image/png','20/20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5.png',NULL);
INSERT INTO "artifact" VALUES('b99a2b3f00e98564ec41a11cd8742e126d3739eb1be6752803fd16853a61630f',77,'image/png','b9/b99a2b3f00e98564ec41a11cd8742e126d3739eb1be6752803fd16853a61630f.png',NULL);
INSERT INTO "artifact" VALUES('26b4f80aad7f1b0fd0ec02950e9ef8116616ad98ed378e140798cec163f94fc1',80,'image/png','26/26b4f80aad7f1b0fd0ec02950e9ef8116616ad98ed378e140798cec163f94fc1.png',NULL);
INSERT INTO "artifact" VALUES('829c3fc774b6fec474f460acdfbca2335e6a2c517e97f11054418a3d53c6cfbd',79,'image/png','82/829c3fc774b6fec474f460acdfbca2335e6a2c517e97f11054418a3d53c6cfbd.png',NULL);
INSERT INTO "artifact" VALUES('a62afda653b167012080bb95c9924354d778894fb172d9abd23b6979df18499a',81,'image/png','a6/a62afda653b167012080bb95c9924354d778894fb172d9abd23b6979df18499a.png',NULL);
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
	known TEXT,
	first_sent_at INTEGER,
	last_sent_at INTEGER,
	found_by TEXT,
	handle TEXT,
	delivery TEXT,
	error TEXT,
	warnings TEXT NOT NULL,
	lease_owner TEXT,
	lease_until INTEGER,
	submitted_at INTEGER,
	took_ms INTEGER,
	finished_at INTEGER,
	version INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT one_attempt_per_number UNIQUE (job, n),
	CONSTRAINT one_attempt_per_remote_job UNIQUE (provider, account_ref, remote_id),
	FOREIGN KEY(job) REFERENCES job (id)
)
 STRICT

;
INSERT INTO "attempt" VALUES('19b76daa8008d43d0e19aa54.1','19b76daa8008d43d0e19aa54',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot stored"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot stored","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:537cedd9d6efa8e573650de0004c1a226b6f658e00c0d5bd46ce94919144acd7',40000,'{"endpoint":"cheap","prompt":"shot stored"}','stored','succeeded','19b76daa8008d43d0e19aa54.1',0,1,'memory-1',NULL,1767225600000,1767225600000,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-1","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-1.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225600100,21977,1767225622077,3);
INSERT INTO "attempt" VALUES('19b76dafe3d5250da9b4accf.1','19b76dafe3d5250da9b4accf',1,'memory','second','memory-second','','2026-11-21','{"alternatives":[],"body":{"endpoint":"second","prompt":"shot stored"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},"excluded":[],"inputs":{},"model":"memory-second","names":{"dialect":"","endpoint":"second","model":"memory-second","task":"text-to-image","version":""},"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot stored","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:second is pinned"}','r1:390d778990410efd8532fe0655f042c348a4ffee8ff44a3138842e717d332787',50000,'{"endpoint":"second","prompt":"shot stored"}','stored','succeeded','19b76dafe3d5250da9b4accf.1',0,1,'memory-2',NULL,1767225622077,1767225622077,NULL,'{"dialect":"","endpoint":"second","id":"memory-2","model":"memory-second","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-2.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225622177,21978,1767225644155,3);
INSERT INTO "attempt" VALUES('19b76db547b8b5a60b106376.1','19b76db547b8b5a60b106376',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":1.0,"p50_s":21.978,"p90_s":21.978,"refused":0.0,"success":1.0}},{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"replaying-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"replaying:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null}],"body":{"endpoint":"cheap","prompt":"shot hero"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":1.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot hero","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"role ''hero'' is not set in [roles] for prototype: any model; stage ''prototype'' wants a workhorse; the cheapest of those that fit"}','r1:a33171e7622daf8cb6595f7c6405c19222a8d2c8bf4b7b170c69776aa500908d',40000,'{"endpoint":"cheap","prompt":"shot hero"}','stored','succeeded','19b76db547b8b5a60b106376.1',0,1,'memory-3',NULL,1767225644155,1767225644155,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-3","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-3.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225644255,21977,1767225666232,3);
INSERT INTO "attempt" VALUES('19b76dbaab8cd8c507d6b136.1','19b76dbaab8cd8c507d6b136',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot repeated"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":2.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot repeated","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:dc62ad74b193ee9aecb7fa12faaf261b65647c96a5020cecab789aeb83e0deb1',40000,'{"endpoint":"cheap","prompt":"shot repeated"}','stored','succeeded','19b76dbaab8cd8c507d6b136.1',0,3,'memory-4',NULL,1767225666232,1767225673402,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-4","model":"memory-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-4.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225673502,21977,1767225695479,7);
INSERT INTO "attempt" VALUES('19b76dc1cf77f792af57e45a.1','19b76dc1cf77f792af57e45a',1,'memory','second','memory-second','','2026-11-21','{"alternatives":[],"body":{"endpoint":"second","prompt":"shot overrun"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":1.0,"p50_s":21.978,"p90_s":21.978,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"memory-second","names":{"dialect":"","endpoint":"second","model":"memory-second","task":"text-to-image","version":""},"offer":"memory:second","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot overrun","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:second is pinned"}','r1:79eeedbfc1c7a7cd859a910bcfc16b95a66190235bccf7a25c5fd2a0c84830f0',50000,'{"endpoint":"second","prompt":"shot overrun"}','stored','succeeded','19b76dc1cf77f792af57e45a.1',0,1,'memory-5',NULL,1767225695479,1767225695479,NULL,'{"dialect":"","endpoint":"second","id":"memory-5","model":"memory-second","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://memory.invalid/files/memory-5.png?n=0"}],"refs":{},"reported":{"image":"2"}}',NULL,'[]',NULL,NULL,1767225695579,5749,1767225701328,3);
INSERT INTO "attempt" VALUES('19b76dc33d036dcfab8c7658.1','19b76dc33d036dcfab8c7658',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot unknown"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":3.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot unknown","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:4644e5b793524fe503b6f07ae0a84ecba31587714979ba99da3d7e2093b33606',40000,'{"endpoint":"cheap","prompt":"shot unknown"}','unknown',NULL,'19b76dc33d036dcfab8c7658.1',1,1,NULL,NULL,1767225701328,1767225701328,NULL,NULL,NULL,'{"accepted":null,"code":null,"job_id":"19b76dc33d036dcfab8c7658","message":"memory, submitting: no answer (the line was cut). Job 19b76dc33d036dcfab8c7658 may have been accepted and charged: its money stays reserved (attempt 19b76dc33d036dcfab8c7658.1). Do not order it again under another key; `aggregator resume` looks for it again, and `aggregator unknown list` says where to look and how to settle it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"UnavailableError"}','[]',NULL,NULL,NULL,NULL,NULL,2);
INSERT INTO "attempt" VALUES('19b76dc343425e550f817c26.1','19b76dc343425e550f817c26',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot failed"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":3.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot failed","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:a301961884f60bd4f62541598b40cc8f9c0ed44e79486343dfd7c9d267738a33',40000,'{"endpoint":"cheap","prompt":"shot failed"}','failed','failed','19b76dc343425e550f817c26.1',0,1,'memory-7',NULL,1767225701428,1767225701428,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-7","model":"memory-cheap","task":"text-to-image","version":""}',NULL,'{"accepted":true,"code":"failed_free","job_id":"19b76dc343425e550f817c26","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}','[]',NULL,NULL,1767225701528,NULL,1767225716628,2);
INSERT INTO "attempt" VALUES('19b76dc6f943d9a17c3837b2.1','19b76dc6f943d9a17c3837b2',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot billed"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":{"as_of":"2026-01-01","basis":"own","board":"","high":0.96,"low":0.009,"share":0.323},"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":4.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":0.75}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot billed","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:a6459dcd30fa990aacb5f875a1b843585c2da22ed6e11951361ff677cb92830e',40000,'{"endpoint":"cheap","prompt":"shot billed"}','failed','failed','19b76dc6f943d9a17c3837b2.1',0,1,'memory-8',NULL,1767225716628,1767225716628,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-8","model":"memory-cheap","task":"text-to-image","version":""}',NULL,'{"accepted":true,"code":"failed_billed","job_id":"19b76dc6f943d9a17c3837b2","message":"memory accepted the job, then it failed: it could not be made. The provider could not make it","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":null,"task":"text-to-image","type":"JobFailedError"}','[]',NULL,NULL,1767225716728,NULL,1767225731828,2);
INSERT INTO "attempt" VALUES('19b76dcaaf4291fe4096c377.1','19b76dcaaf4291fe4096c377',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot refused"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":{"as_of":"2026-01-01","basis":"own","board":"","high":0.958,"low":0.009,"share":0.313},"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":5.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":0.6}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot refused","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:43fbaab63b849ef5b8d796644dd0be8e904f7e51b02d6a7c6fb066279ade2035',40000,'{"endpoint":"cheap","prompt":"shot refused"}','refused',NULL,'19b76dcaaf4291fe4096c377.1',0,1,NULL,NULL,1767225731828,1767225731828,NULL,NULL,NULL,'{"accepted":false,"code":"moderated","job_id":"19b76dcaaf4291fe4096c377","message":"memory, submitting: HTTP 422 moderated: the prompt is refused. Change the request; it is not sent anywhere else by itself","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":422,"task":"text-to-image","type":"ContentPolicyError"}','[]',NULL,NULL,NULL,NULL,1767225731928,1);
INSERT INTO "attempt" VALUES('19b76dcab580d4758ecbfcc7.1','19b76dcab580d4758ecbfcc7',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"replaying-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"replaying:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":"is paused: job 19b76dc1cf77f792af57e45a was to cost up to $0.05 and was billed $0.10","quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":2.0,"p50_s":5.749,"p90_s":21.978,"refused":0.0,"success":1.0}}],"body":{"endpoint":"cheap","prompt":"shot second"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":{"as_of":"2026-01-01","basis":"own","board":"","high":0.958,"low":0.009,"share":0.313},"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":6.0,"p50_s":21.977,"p90_s":21.977,"refused":0.167,"success":0.5}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot second","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"stage ''prototype'' wants a workhorse; the cheapest of those that fit; memory:second is paused: job 19b76dc1cf77f792af57e45a was to cost up to $0.05 and was billed $0.10"}','r1:3c69b83e9a95fba7bc08502ba88d3c33fb6239deca78bc435c4584cf12c7f07c',40000,'{"endpoint":"cheap","prompt":"shot second"}','refused',NULL,'19b76dcab580d4758ecbfcc7.1',0,1,NULL,NULL,1767225731928,1767225731928,NULL,NULL,NULL,'{"accepted":false,"code":"quota","job_id":"19b76dcab580d4758ecbfcc7","message":"memory, submitting: HTTP 402 quota: no credit. Add credit at the provider, or route elsewhere","model":"memory-cheap","provider":"memory","request_id":null,"retry_after_s":null,"status_code":402,"task":"text-to-image","type":"QuotaError"}','[]',NULL,NULL,NULL,NULL,1767225732028,1);
INSERT INTO "attempt" VALUES('19b76dcab580d4758ecbfcc7.2','19b76dcab580d4758ecbfcc7',2,'replaying','cheap','replaying-cheap','','2026-11-21','{"alternatives":[{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-second","notes":["its price was last checked on 2025-01-01"],"offer":"memory:second","passed_over":"is paused: job 19b76dc1cf77f792af57e45a was to cost up to $0.05 and was billed $0.10","quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":2.0,"p50_s":5.749,"p90_s":21.978,"refused":0.0,"success":1.0}}],"body":{"endpoint":"cheap","prompt":"shot second"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"replaying-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"replaying:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},"excluded":[],"inputs":{},"model":"replaying-cheap","names":{"dialect":"","endpoint":"cheap","model":"replaying-cheap","task":"text-to-image","version":""},"offer":"replaying:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot second","task":"text-to-image"},"stage":"prototype","url":"http://replaying.invalid/jobs","why":"replaying:cheap is pinned"}','r1:2dd4584bed182c0f1b5536bfadbb42d991a9acacb9ddfd2384238ca186cd49fd',60000,'{"endpoint":"cheap","prompt":"shot second"}','stored','succeeded','19b76dcab580d4758ecbfcc7.2',0,1,'replaying-9',NULL,1767225732028,1767225732028,NULL,'{"dialect":"","endpoint":"cheap","id":"replaying-9","model":"replaying-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://replaying.invalid/files/replaying-9.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225732128,21977,1767225754105,3);
INSERT INTO "attempt" VALUES('19b76dd01f92d52f0232d255.1','19b76dd01f92d52f0232d255',1,'listing','cheap','listing-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot listed"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"listing-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"listing:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":null},"excluded":[],"inputs":{},"model":"listing-cheap","names":{"dialect":"","endpoint":"cheap","model":"listing-cheap","task":"text-to-image","version":""},"offer":"listing:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot listed","task":"text-to-image"},"stage":"prototype","url":"http://listing.invalid/jobs","why":"listing:cheap is pinned"}','r1:543099c140faa744e049b731185af2b8bfb216f306bc70577df7446725232dc0',70000,'{"endpoint":"cheap","prompt":"shot listed"}','stored','succeeded','19b76dd01f92d52f0232d255.1',0,1,'listing-10',NULL,1767225754105,1767225754105,'lookup','{"dialect":"","endpoint":"cheap","id":"listing-10","model":"listing-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://listing.invalid/files/listing-10.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225754305,22078,1767225776283,4);
INSERT INTO "attempt" VALUES('19b76dd589bdfe4b374bb560.1','19b76dd589bdfe4b374bb560',1,'replaying','cheap','replaying-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot replayed"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"replaying-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"replaying:cheap","passed_over":null,"quality":null,"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":1.0,"p50_s":21.977,"p90_s":21.977,"refused":0.0,"success":1.0}},"excluded":[],"inputs":{},"model":"replaying-cheap","names":{"dialect":"","endpoint":"cheap","model":"replaying-cheap","task":"text-to-image","version":""},"offer":"replaying:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot replayed","task":"text-to-image"},"stage":"prototype","url":"http://replaying.invalid/jobs","why":"replaying:cheap is pinned"}','r1:42d40fb5223e8552555aa38b4e03f018e6538d345bb949c80a90c248047f59cd',60000,'{"endpoint":"cheap","prompt":"shot replayed"}','stored','succeeded','19b76dd589bdfe4b374bb560.1',0,2,'replaying-11',NULL,1767225776283,1767225776383,'replay','{"dialect":"","endpoint":"cheap","id":"replaying-11","model":"replaying-cheap","task":"text-to-image","version":""}','{"charged_usd":null,"facts":{"seed":7},"files":[{"mime_type":"image/png","url":"http://replaying.invalid/files/replaying-11.png?n=0"}],"refs":{},"reported":{"image":"1"}}',NULL,'[]',NULL,NULL,1767225776483,21977,1767225798460,5);
INSERT INTO "attempt" VALUES('19b76ddaf3cd77bd57dd6c49.1','19b76ddaf3cd77bd57dd6c49',1,'memory','cheap','memory-cheap','','2026-11-21','{"alternatives":[],"body":{"endpoint":"cheap","prompt":"shot running"},"chosen":{"adjustments":[],"days_left":null,"ending":null,"excluded":null,"kind":null,"model":"memory-cheap","notes":["its price was last checked on 2025-01-01"],"offer":"memory:cheap","passed_over":null,"quality":{"as_of":"2026-01-01","basis":"own","board":"","high":0.906,"low":0.016,"share":0.281},"quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"tier":"workhorse","track":{"n":6.0,"p50_s":21.977,"p90_s":21.977,"refused":0.167,"success":0.5}},"excluded":[],"inputs":{},"model":"memory-cheap","names":{"dialect":"","endpoint":"cheap","model":"memory-cheap","task":"text-to-image","version":""},"offer":"memory:cheap","quote":{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""},"read":{"facts":{"seed":"seed"},"files":{"blocked":null,"form":"url","mime_path":"","mime_type":"image/png","only":{},"path":"files[].url","url":""},"refs":{},"reported":{"image":"usage.images"}},"request":{"prompt":"shot running","task":"text-to-image"},"stage":"prototype","url":"http://memory.invalid/jobs","why":"memory:cheap is pinned"}','r1:3144d2dda3db8fa999c8b2ff0b1f8ae6cf451d64d008e3812e9724014ed2aa53',40000,'{"endpoint":"cheap","prompt":"shot running"}','submitted','queued','19b76ddaf3cd77bd57dd6c49.1',0,1,'memory-12',NULL,1767225798460,1767225798460,NULL,'{"dialect":"","endpoint":"cheap","id":"memory-12","model":"memory-cheap","task":"text-to-image","version":""}',NULL,NULL,'[]',NULL,NULL,1767225798560,NULL,NULL,1);
CREATE TABLE budget (
	account TEXT NOT NULL,
	period TEXT NOT NULL,
	cap INTEGER NOT NULL,
	PRIMARY KEY (account, period),
	CONSTRAINT known_period CHECK (period IN ('day', 'week', 'month')),
	CONSTRAINT cap_not_negative CHECK (cap >= 0),
	FOREIGN KEY(account) REFERENCES account (id)
)
 STRICT

;
INSERT INTO "budget" VALUES('organisation','month',1000000000);
INSERT INTO "budget" VALUES('project:film','month',50000000);
INSERT INTO "budget" VALUES('project:film','day',20000000);
CREATE TABLE credit_rate (
	currency TEXT NOT NULL,
	from_at INTEGER NOT NULL,
	usd TEXT NOT NULL,
	source TEXT NOT NULL,
	PRIMARY KEY (currency, from_at)
)
 STRICT

;
INSERT INTO "credit_rate" VALUES('credit:memory',1767225600000,'0.01','configuration');
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
INSERT INTO "event" VALUES(1,'19b76daa8008d43d0e19aa54.1',1767225600000,'submitting','{"offer":"memory:cheap"}','2:d28faaad54ae0caa92d1aae8543cab904d06e54fe329f9101b0fb5298ad00f4c');
INSERT INTO "event" VALUES(2,'19b76daa8008d43d0e19aa54.1',1767225600100,'submitted','{}','2:f0e35b3f64d940d4a3e43d5b2edd1d6b4960b028dbdaafcd8caedeec085fb15c');
INSERT INTO "event" VALUES(3,'19b76daa8008d43d0e19aa54.1',1767225621977,'succeeded','{}','2:70ed9e8e0ee6bbd09653cd74787b196ae4ead0ede77c725868f523953b709956');
INSERT INTO "event" VALUES(4,'19b76daa8008d43d0e19aa54.1',1767225622077,'stored','{}','2:57c1bf6e9a2e128118cbb6e9c4ac5d1ce2f94302cc88fcc1a95b58c0bec0942b');
INSERT INTO "event" VALUES(5,'19b76dafe3d5250da9b4accf.1',1767225622077,'submitting','{"offer":"memory:second"}','2:ce5a175f66ee3f77f390f2487eefe0276283651dfffabc4e7d06f19fbf02f5c1');
INSERT INTO "event" VALUES(6,'19b76dafe3d5250da9b4accf.1',1767225622177,'submitted','{}','2:15b02019f4a60c71145085021cadf26e04bcea7126c880e5dd2c3f8067f17b22');
INSERT INTO "event" VALUES(7,'19b76dafe3d5250da9b4accf.1',1767225644055,'succeeded','{}','2:0aff0010be4c394d71d31608b6890057ea4a90191aa9eed6a12cb6ea68be9834');
INSERT INTO "event" VALUES(8,'19b76dafe3d5250da9b4accf.1',1767225644155,'stored','{}','2:8d69ba2480a27fb3cde8c175d6b6c01fea23cb0eb4b3083edefbcf97b973d675');
INSERT INTO "event" VALUES(9,'19b76db547b8b5a60b106376.1',1767225644155,'submitting','{"offer":"memory:cheap"}','2:0e7a3ac35fa9bb300f7978db778e1e5297b2e56efaf1f536cb8faee087cc8d8b');
INSERT INTO "event" VALUES(10,'19b76db547b8b5a60b106376.1',1767225644255,'submitted','{}','2:759779fd15d74c2f511cf3cef59dae122ca3c9aa3e605f0e807eb89f38430cf5');
INSERT INTO "event" VALUES(11,'19b76db547b8b5a60b106376.1',1767225666132,'succeeded','{}','2:3273378dcfa0caa4fd790dfb5b12f23ea3e8cb5737fe44868bebea5796cdee1f');
INSERT INTO "event" VALUES(12,'19b76db547b8b5a60b106376.1',1767225666232,'stored','{}','2:9a370a11b685bd9d016e61afba124e78bb8b8805aa1e9e49f3ca02f7da8efd30');
INSERT INTO "event" VALUES(13,'19b76dbaab8cd8c507d6b136.1',1767225666232,'submitting','{"offer":"memory:cheap"}','2:0ec630be3be61b6630ee4b579da46eb1fd34c1ebf17b4dc638423085a8b52377');
INSERT INTO "event" VALUES(14,'19b76dbaab8cd8c507d6b136.1',1767225666282,'reserved','{"outcome":"never_sent"}','2:b7a7f46265dd78356af8bf5847a320d4956e05f356e6c227366ea14c7e616def');
INSERT INTO "event" VALUES(15,'19b76dbaab8cd8c507d6b136.1',1767225666302,'submitting','{}','2:b3fe85f0f49ed1beb6edabe486adb94794e3451d034c8c9aa3bee911c2759999');
INSERT INTO "event" VALUES(16,'19b76dbaab8cd8c507d6b136.1',1767225666402,'reserved','{"outcome":"rejected"}','2:01e47d7009f5ce00b4c57acdd028acdd6ed39061652617e9cefe2f15ea6528b8');
INSERT INTO "event" VALUES(17,'19b76dbaab8cd8c507d6b136.1',1767225673402,'submitting','{}','2:7805106860c8c0fbe3bd5ab589e593877fff858937780b0a4e4d9cb177dac9d8');
INSERT INTO "event" VALUES(18,'19b76dbaab8cd8c507d6b136.1',1767225673502,'submitted','{}','2:3df8f3e9dccabb5a0eb8752db073cfc21d24020f8065156a72f957382ce8f2c8');
INSERT INTO "event" VALUES(19,'19b76dbaab8cd8c507d6b136.1',1767225695379,'succeeded','{}','2:16224c1e36ae6ab1880f1ec9e5cc2ca5b1e9925fff58b68e39528199ba2284bc');
INSERT INTO "event" VALUES(20,'19b76dbaab8cd8c507d6b136.1',1767225695479,'stored','{}','2:d45576b01bff628f947f9cad95913fe9532c0824c1c3cbd00890f2e9bea157eb');
INSERT INTO "event" VALUES(21,'19b76dc1cf77f792af57e45a.1',1767225695479,'submitting','{"offer":"memory:second"}','2:76b51b2f7f11bf827bf886d63318c54f6d50bfee050e5237c6c53e70406ecdd9');
INSERT INTO "event" VALUES(22,'19b76dc1cf77f792af57e45a.1',1767225695579,'submitted','{}','2:df66151339dde59e4530ff415822da807b910b8149c64c059160e8c65c94c46d');
INSERT INTO "event" VALUES(23,'19b76dc1cf77f792af57e45a.1',1767225701228,'succeeded','{}','2:9f2ad0ed4e05be08ae3deda47bb08a1286cd53eaa1145fd1438c579671b044ec');
INSERT INTO "event" VALUES(24,'19b76dc1cf77f792af57e45a.1',1767225701228,'paused','{"bill":100000,"offer":"memory:second","rates":"memory/second/image@2025-01-01=0.05"}','2:ebde03eb8fc65f8ade5d8ee43db08e24144adbd422eafbec9dae7bc134a41065');
INSERT INTO "event" VALUES(25,'19b76dc1cf77f792af57e45a.1',1767225701328,'stored','{}','2:7841786a9e94dbcd3b1f17e44764727078f292782ebc9ff8e8328ceff6c04048');
INSERT INTO "event" VALUES(26,'19b76dc33d036dcfab8c7658.1',1767225701328,'submitting','{"offer":"memory:cheap"}','2:c4c97574de6488a0bf05c0bb23f0a112c1a3654cb244e9699d8af94de155c4c8');
INSERT INTO "event" VALUES(27,'19b76dc33d036dcfab8c7658.1',1767225701428,'reconciling','{"outcome":"unknown"}','2:459ae08e0d6b330a453a5d564a7c5ecc730799201b0ab5ede377284f06826faf');
INSERT INTO "event" VALUES(28,'19b76dc33d036dcfab8c7658.1',1767225701428,'unknown','{}','2:60888be3b00bca73a85ac761e9a1a60d5ba4fa883fd7b1ba362bf64000e0665f');
INSERT INTO "event" VALUES(29,'19b76dc343425e550f817c26.1',1767225701428,'submitting','{"offer":"memory:cheap"}','2:e1ebfd5e854ad5962fac09e0218a1e950d72c22a85fcab4186a6b4943194d455');
INSERT INTO "event" VALUES(30,'19b76dc343425e550f817c26.1',1767225701528,'submitted','{}','2:81b57d35267f4997ccea0fdfb85f9dac5f87f9aacbd99bf99a539b260f8a101e');
INSERT INTO "event" VALUES(31,'19b76dc343425e550f817c26.1',1767225716628,'failed','{}','2:1ce3e4ba4e273afd9f3e6b77397df939d6fe3a41d344958cec7b04082bb04f82');
INSERT INTO "event" VALUES(32,'19b76dc6f943d9a17c3837b2.1',1767225716628,'submitting','{"offer":"memory:cheap"}','2:ccbd82caa2933b1ef1098d99427343b4b6fdb70e46a569387a20f63939423198');
INSERT INTO "event" VALUES(33,'19b76dc6f943d9a17c3837b2.1',1767225716728,'submitted','{}','2:dcd5ee4f670b805357430b45e4838d8c5e90f7eb4abec3c5e149af574466170e');
INSERT INTO "event" VALUES(34,'19b76dc6f943d9a17c3837b2.1',1767225731828,'failed','{}','2:ac15991aabd9241a1552fe771cd8928a65ee3d4d7580897ba3a1312e139936d6');
INSERT INTO "event" VALUES(35,'19b76dcaaf4291fe4096c377.1',1767225731828,'submitting','{"offer":"memory:cheap"}','2:f4169cf3ab47e034d0dfe88a85182e32592814c6fe51737c45c50a9997081007');
INSERT INTO "event" VALUES(36,'19b76dcaaf4291fe4096c377.1',1767225731928,'refused','{"error":"ContentPolicyError"}','2:e9792a272f7290f357cf3a70a2efafa5f4abc768255f0673e512e71eee639fc1');
INSERT INTO "event" VALUES(37,'19b76dcab580d4758ecbfcc7.1',1767225731928,'submitting','{"offer":"memory:cheap"}','2:f98cc07deb378f01707f7b4149911c8e1c5be9a264eab716369205db06bf4df4');
INSERT INTO "event" VALUES(38,'19b76dcab580d4758ecbfcc7.1',1767225732028,'refused','{"error":"QuotaError"}','2:36b3307968f4bc67a9e57a9ff04b1894ad3cb02bcf93799d8e2f315f2b4d2aeb');
INSERT INTO "event" VALUES(39,'19b76dcab580d4758ecbfcc7.2',1767225732028,'submitting','{"offer":"replaying:cheap"}','2:e12ba8560c9ebbb27ed9860ab08c12ca5957a84c1c2272136467e34c9a9f69d2');
INSERT INTO "event" VALUES(40,'19b76dcab580d4758ecbfcc7.2',1767225732128,'submitted','{}','2:9c8aab31e293001bcdccfd5fc425b07dec8812d836087bf5d40cb3acac558981');
INSERT INTO "event" VALUES(41,'19b76dcab580d4758ecbfcc7.2',1767225754005,'succeeded','{}','2:e8d37d2f92fe249851934c18c9dce15e3d6b7e061fd6797b082aef2ee32125dc');
INSERT INTO "event" VALUES(42,'19b76dcab580d4758ecbfcc7.2',1767225754105,'stored','{}','2:4990b5deb1f8fe1710fa9e49a6d5291dec44190cf4b64897712d2f59d3e69166');
INSERT INTO "event" VALUES(43,'19b76dd01f92d52f0232d255.1',1767225754105,'submitting','{"offer":"listing:cheap"}','2:00e2b71a3ca6b8ef1c46b200fba80fbcf266c7a4668213bad6e1db2d90ae6bcb');
INSERT INTO "event" VALUES(44,'19b76dd01f92d52f0232d255.1',1767225754205,'reconciling','{"outcome":"unknown"}','2:9fae3756326863db1198e97967ff8b535005f8d5926a1d74cb762a93fa267d73');
INSERT INTO "event" VALUES(45,'19b76dd01f92d52f0232d255.1',1767225754305,'submitted','{}','2:c896b0fefb950aa8a7c0375c53468077faa6d5c071c092e2dba60ca57781a79e');
INSERT INTO "event" VALUES(46,'19b76dd01f92d52f0232d255.1',1767225776183,'succeeded','{}','2:532f1af19380f8f477a4addf1b67c18b5972b34b5b721c5b070f531bcf87c7a5');
INSERT INTO "event" VALUES(47,'19b76dd01f92d52f0232d255.1',1767225776283,'stored','{}','2:b5435dadd5fd0f28dcf3432fb22447a360921b197c536f707930de73e9d12fcb');
INSERT INTO "event" VALUES(48,'19b76dd589bdfe4b374bb560.1',1767225776283,'submitting','{"offer":"replaying:cheap"}','2:b17e7d4540614a631db92e2cc2ac65ccb9c82c976d897d1d42fb9926d14325e3');
INSERT INTO "event" VALUES(49,'19b76dd589bdfe4b374bb560.1',1767225776383,'reconciling','{"outcome":"unknown"}','2:a4525f8df13d20e98fdf09bf1353de0d7e8976d2eeb082dea2e2dbbc2993523b');
INSERT INTO "event" VALUES(50,'19b76dd589bdfe4b374bb560.1',1767225776383,'reconciling','{}','2:4632ecd60a53ba0afff1140e64c8f3b0eeadeeaf512093d09e47927a496aeea1');
INSERT INTO "event" VALUES(51,'19b76dd589bdfe4b374bb560.1',1767225776483,'submitted','{}','2:19c77584642969f485093d4f8e93b63064bc033180f18c6b8b37adc298331b03');
INSERT INTO "event" VALUES(52,'19b76dd589bdfe4b374bb560.1',1767225798360,'succeeded','{}','2:f5a09023caf1eec04009b1cd62a1c72a50f88da4c3f4840c17fae7249bf7048b');
INSERT INTO "event" VALUES(53,'19b76dd589bdfe4b374bb560.1',1767225798460,'stored','{}','2:63c8e5995719aacdd451d1898143633e30402fb81f21aabde3c235ea96b0095d');
INSERT INTO "event" VALUES(54,NULL,1767225798460,'quarantined','{"offer":"memory:gone","why":"HTTP 404"}','2:3f2a7dbe4890fd28a2cb7799eb60a8d0d452bab2a7413e2629bd895bd0f00bcb');
INSERT INTO "event" VALUES(55,NULL,1767225798460,'quarantined','{"offer":"memory:back","why":"it answers another model"}','2:e6075dec385c96f6cec61d839cc34ae207558cf74ac46d9cbb23f6e6b0b44954');
INSERT INTO "event" VALUES(56,NULL,1767225798465,'lifted','{"offer":"memory:back"}','2:eaa4fe6dad3c9eb9683b43b3fd2d18f660d23988eea68de322813b09fa981b19');
INSERT INTO "event" VALUES(57,'19b76ddaf3cd77bd57dd6c49.1',1767225798460,'submitting','{"offer":"memory:cheap"}','2:54c8ab724f790aacddccdd0473f258d31eb3c3963b6fac893e9e226b50e3b4a8');
INSERT INTO "event" VALUES(58,'19b76ddaf3cd77bd57dd6c49.1',1767225798560,'submitted','{}','2:d6c718b529868da8081daad34dfe77477db66aa48899101a50af4716dea9a337');
CREATE TABLE inbox (
	seq INTEGER NOT NULL,
	source TEXT NOT NULL,
	msg_id TEXT NOT NULL,
	at INTEGER NOT NULL,
	attempt TEXT,
	remote_id TEXT,
	handle TEXT,
	handled_at INTEGER,
	PRIMARY KEY (seq),
	CONSTRAINT one_row_per_delivery UNIQUE (source, msg_id)
)
 STRICT

;
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
INSERT INTO "job" VALUES('19b76daa8008d43d0e19aa54','project:film','stored','f1:7ecba45abdd527b4a49e5dcc37004556acb37f7f9f11fa241516a93ef4f57605','{"prompt":"shot stored","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"stored"}',1767225600000,1767229200000);
INSERT INTO "job" VALUES('19b76dafe3d5250da9b4accf','project:film','take','f1:d104856053f07a71ff0e5f700d7a9932586414b42f8f814fc317cc7dafdeb43f','{"prompt":"shot stored","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:second","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"take"}',1767225622077,1767229222077);
INSERT INTO "job" VALUES('19b76db547b8b5a60b106376','project:film','hero','f1:3f4042e81e96ad69e2bf851ab1f91b7f45775004a37e9cec0f6b72543fc12532','{"prompt":"shot hero","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":"hero","stage":"prototype"}','prototype','{"scene":"hero"}',1767225644155,1767229244155);
INSERT INTO "job" VALUES('19b76dbaab8cd8c507d6b136','project:film','repeated','f1:116fe3192a61c0a61d2d831a07ff1fb861d91d9a2131762b8e3cb1761c30eb47','{"prompt":"shot repeated","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"repeated"}',1767225666232,1767229266232);
INSERT INTO "job" VALUES('19b76dc1cf77f792af57e45a','project:film','overrun','f1:04ab50325520ebdd135b35352248d0196115c0ae9987356ab02ce83f2bc0752e','{"prompt":"shot overrun","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:second","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"overrun"}',1767225695479,1767229295479);
INSERT INTO "job" VALUES('19b76dc33d036dcfab8c7658','project:film','unknown','f1:e99b76cc7ac2be20bd741879a80a4ac97f8a14a87c7f37f07f1cf9747fbb3897','{"prompt":"shot unknown","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"unknown"}',1767225701328,1767225761328);
INSERT INTO "job" VALUES('19b76dc343425e550f817c26','project:film','failed','f1:ee5e964b4932708805a05635bd59b0a0ca1b9b633de44cddf1c6329396bd58ed','{"prompt":"shot failed","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"failed"}',1767225701428,1767229301428);
INSERT INTO "job" VALUES('19b76dc6f943d9a17c3837b2','project:film','billed','f1:3cc399015f062cc66da7e4beb88831ee23e40c7326de7889e49007a2cdbe3591','{"prompt":"shot billed","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"billed"}',1767225716628,1767229316628);
INSERT INTO "job" VALUES('19b76dcaaf4291fe4096c377','project:film','refused','f1:80b92a69e834d347c158338a53e49d9209b8629c0cda3830450ccde06712ae35','{"prompt":"shot refused","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"refused"}',1767225731828,1767229331828);
INSERT INTO "job" VALUES('19b76dcab580d4758ecbfcc7','project:film','second','f1:413b98ead0e038386c45e6e0ee389884ae05ba93f4681e54fbeac9beb7cf9512','{"prompt":"shot second","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":null,"on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"second"}',1767225731928,1767229331928);
INSERT INTO "job" VALUES('19b76dd01f92d52f0232d255','project:film','listed','f1:e54f2c5ea8e05c460a4d39f0b2dc8a4d1b93d60eea478d847462f34964bc0e2c','{"prompt":"shot listed","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"listing:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"listed"}',1767225754105,1767229354105);
INSERT INTO "job" VALUES('19b76dd589bdfe4b374bb560','project:film','replayed','f1:ef00691042eb43dfa0fe115af5d9cd91900f2392eb542ad04110d26724e8177f','{"prompt":"shot replayed","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"replaying:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"replayed"}',1767225776283,1767229376283);
INSERT INTO "job" VALUES('19b76ddaf3cd77bd57dd6c49','project:film','running','f1:080f6ee3034ae679b76d97d90718abd5f42f6421ec556b9b43193a2b09e5a244','{"prompt":"shot running","task":"text-to-image"}','{"keep":null,"lot":"","max_usd":null,"model":"memory:cheap","on_unsupported":"error","provider_options":{},"role":null,"stage":"prototype"}','prototype','{"scene":"running"}',1767225798460,1767425798460);
CREATE TABLE meta (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY ("key")
)
 STRICT

;
INSERT INTO "meta" VALUES('schema_version','3');
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
INSERT INTO "output" VALUES('19b76dafe3d5250da9b4accf',0,'19b76dafe3d5250da9b4accf.1','de1bc205c702e81bdbc329a1212d2ca133e1c421824a53cfea52d358292ccdb9');
INSERT INTO "output" VALUES('19b76db547b8b5a60b106376',0,'19b76db547b8b5a60b106376.1','b34d644b3b6d2495678859f002cf271eac1cab5193becd070266eafb28cfab04');
INSERT INTO "output" VALUES('19b76dbaab8cd8c507d6b136',0,'19b76dbaab8cd8c507d6b136.1','20adc13898e6e5dad53ede5b01cb7df23629be89ddf652bf554f842f4b0baae5');
INSERT INTO "output" VALUES('19b76dc1cf77f792af57e45a',0,'19b76dc1cf77f792af57e45a.1','b99a2b3f00e98564ec41a11cd8742e126d3739eb1be6752803fd16853a61630f');
INSERT INTO "output" VALUES('19b76dcab580d4758ecbfcc7',0,'19b76dcab580d4758ecbfcc7.2','26b4f80aad7f1b0fd0ec02950e9ef8116616ad98ed378e140798cec163f94fc1');
INSERT INTO "output" VALUES('19b76dd01f92d52f0232d255',0,'19b76dd01f92d52f0232d255.1','829c3fc774b6fec474f460acdfbca2335e6a2c517e97f11054418a3d53c6cfbd');
INSERT INTO "output" VALUES('19b76dd589bdfe4b374bb560',0,'19b76dd589bdfe4b374bb560.1','a62afda653b167012080bb95c9924354d778894fb172d9abd23b6979df18499a');
CREATE TABLE pause (
	offer TEXT NOT NULL,
	rates TEXT NOT NULL,
	attempt TEXT NOT NULL,
	at INTEGER NOT NULL,
	lifted_at INTEGER,
	PRIMARY KEY (offer, rates),
	FOREIGN KEY(attempt) REFERENCES attempt (id)
)
 STRICT

;
INSERT INTO "pause" VALUES('memory:second','memory/second/image@2025-01-01=0.05','19b76dc1cf77f792af57e45a.1',1767225701228,NULL);
CREATE TABLE quarantine (
	offer TEXT NOT NULL,
	since INTEGER NOT NULL,
	why TEXT NOT NULL,
	evidence TEXT NOT NULL,
	lifted_at INTEGER,
	PRIMARY KEY (offer)
)
 STRICT

;
INSERT INTO "quarantine" VALUES('memory:gone',1767225798460,'HTTP 404','{"status":404}',NULL);
INSERT INTO "quarantine" VALUES('memory:back',1767225798460,'it answers another model','{"model":"other"}',1767225798465);
CREATE TABLE redirected (
	offer TEXT NOT NULL,
	served_model TEXT NOT NULL,
	attempt TEXT NOT NULL,
	first_at INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (offer, served_model),
	FOREIGN KEY(attempt) REFERENCES attempt (id)
)
 STRICT

;
INSERT INTO "redirected" VALUES('memory:cheap','memory-cheap-2','19b76daa8008d43d0e19aa54.1',1767225798460,1767225798467,2);
CREATE TABLE service_time (
	offer TEXT NOT NULL,
	weight REAL NOT NULL,
	mean_log_s REAL NOT NULL,
	square_log_s REAL NOT NULL,
	PRIMARY KEY (offer)
)
 STRICT

;
INSERT INTO "service_time" VALUES('memory:cheap',3.0,2.95197463890840028355e+00,3.94430452610505902699e-31);
INSERT INTO "service_time" VALUES('memory:second',2.0,2.27166786919270302647e+00,9.25696795255071314123e-01);
INSERT INTO "service_time" VALUES('replaying:cheap',2.0,2.9519746389084,0.0);
INSERT INTO "service_time" VALUES('listing:cheap',1.0,2.95199749343931472367e+00,0.0);
CREATE TABLE throttle (
	provider TEXT NOT NULL,
	account_ref TEXT NOT NULL,
	next_at INTEGER DEFAULT '0' NOT NULL,
	at_once REAL,
	frozen_until INTEGER DEFAULT '0' NOT NULL,
	PRIMARY KEY (provider, account_ref)
)
 STRICT

;
INSERT INTO "throttle" VALUES('memory','',0,2.0,1767225673402);
CREATE TABLE transfer (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	pending_id TEXT,
	debit TEXT NOT NULL,
	credit TEXT NOT NULL,
	attempt TEXT NOT NULL,
	amount INTEGER NOT NULL,
	currency TEXT,
	credits INTEGER,
	credit_usd TEXT,
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
INSERT INTO "transfer" VALUES('19b76daa8008d43d0e19aa54.1:hold','pending',NULL,'project:film','provider:memory','19b76daa8008d43d0e19aa54.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225600000);
INSERT INTO "transfer" VALUES('19b76daa8008d43d0e19aa54.1:post','post','19b76daa8008d43d0e19aa54.1:hold','project:film','provider:memory','19b76daa8008d43d0e19aa54.1',40000,'credit:memory',4000000,'0.01','reported','{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225621977);
INSERT INTO "transfer" VALUES('19b76dafe3d5250da9b4accf.1:hold','pending',NULL,'project:film','provider:memory','19b76dafe3d5250da9b4accf.1',50000,'credit:memory',5000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""}',1767225622077);
INSERT INTO "transfer" VALUES('19b76dafe3d5250da9b4accf.1:post','post','19b76dafe3d5250da9b4accf.1:hold','project:film','provider:memory','19b76dafe3d5250da9b4accf.1',50000,'credit:memory',5000000,'0.01','reported','{"amount_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225644055);
INSERT INTO "transfer" VALUES('19b76db547b8b5a60b106376.1:hold','pending',NULL,'project:film','provider:memory','19b76db547b8b5a60b106376.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225644155);
INSERT INTO "transfer" VALUES('19b76db547b8b5a60b106376.1:post','post','19b76db547b8b5a60b106376.1:hold','project:film','provider:memory','19b76db547b8b5a60b106376.1',40000,'credit:memory',4000000,'0.01','reported','{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225666132);
INSERT INTO "transfer" VALUES('19b76dbaab8cd8c507d6b136.1:hold','pending',NULL,'project:film','provider:memory','19b76dbaab8cd8c507d6b136.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225666232);
INSERT INTO "transfer" VALUES('19b76dbaab8cd8c507d6b136.1:post','post','19b76dbaab8cd8c507d6b136.1:hold','project:film','provider:memory','19b76dbaab8cd8c507d6b136.1',40000,'credit:memory',4000000,'0.01','reported','{"amount_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225695379);
INSERT INTO "transfer" VALUES('19b76dc1cf77f792af57e45a.1:hold','pending',NULL,'project:film','provider:memory','19b76dc1cf77f792af57e45a.1',50000,'credit:memory',5000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.05","lines":[{"high":"1","low":"1","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"low_usd":"0.05","table":"c4a92fcfe1d1","why":""}',1767225695479);
INSERT INTO "transfer" VALUES('19b76dc1cf77f792af57e45a.1:post','post','19b76dc1cf77f792af57e45a.1:hold','project:film','provider:memory','19b76dc1cf77f792af57e45a.1',100000,'credit:memory',10000000,'0.01','reported','{"amount_usd":"0.10","lines":[{"high":"2","low":"2","rate_usd":"0.05","row":"memory/second/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225701228);
INSERT INTO "transfer" VALUES('19b76dc33d036dcfab8c7658.1:hold','pending',NULL,'project:film','provider:memory','19b76dc33d036dcfab8c7658.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225701328);
INSERT INTO "transfer" VALUES('19b76dc343425e550f817c26.1:hold','pending',NULL,'project:film','provider:memory','19b76dc343425e550f817c26.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225701428);
INSERT INTO "transfer" VALUES('19b76dc343425e550f817c26.1:void','void','19b76dc343425e550f817c26.1:hold','project:film','provider:memory','19b76dc343425e550f817c26.1',40000,'credit:memory',4000000,'0.01','released','{"why":"JobFailedError"}',1767225716628);
INSERT INTO "transfer" VALUES('19b76dc6f943d9a17c3837b2.1:hold','pending',NULL,'project:film','provider:memory','19b76dc6f943d9a17c3837b2.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225716628);
INSERT INTO "transfer" VALUES('19b76dc6f943d9a17c3837b2.1:post','post','19b76dc6f943d9a17c3837b2.1:hold','project:film','provider:memory','19b76dc6f943d9a17c3837b2.1',40000,'credit:memory',4000000,'0.01','computed','{"why":"failures are billed"}',1767225731828);
INSERT INTO "transfer" VALUES('19b76dcaaf4291fe4096c377.1:hold','pending',NULL,'project:film','provider:memory','19b76dcaaf4291fe4096c377.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225731828);
INSERT INTO "transfer" VALUES('19b76dcaaf4291fe4096c377.1:void','void','19b76dcaaf4291fe4096c377.1:hold','project:film','provider:memory','19b76dcaaf4291fe4096c377.1',40000,'credit:memory',4000000,'0.01','released','{"why":"ContentPolicyError"}',1767225731928);
INSERT INTO "transfer" VALUES('19b76dcab580d4758ecbfcc7.1:hold','pending',NULL,'project:film','provider:memory','19b76dcab580d4758ecbfcc7.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225731928);
INSERT INTO "transfer" VALUES('19b76dcab580d4758ecbfcc7.1:void','void','19b76dcab580d4758ecbfcc7.1:hold','project:film','provider:memory','19b76dcab580d4758ecbfcc7.1',40000,'credit:memory',4000000,'0.01','released','{"why":"QuotaError"}',1767225732028);
INSERT INTO "transfer" VALUES('19b76dcab580d4758ecbfcc7.2:hold','pending',NULL,'project:film','provider:replaying','19b76dcab580d4758ecbfcc7.2',60000,NULL,NULL,NULL,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""}',1767225732028);
INSERT INTO "transfer" VALUES('19b76dcab580d4758ecbfcc7.2:post','post','19b76dcab580d4758ecbfcc7.2:hold','project:film','provider:replaying','19b76dcab580d4758ecbfcc7.2',60000,NULL,NULL,NULL,'reported','{"amount_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225754005);
INSERT INTO "transfer" VALUES('19b76dd01f92d52f0232d255.1:hold','pending',NULL,'project:film','provider:listing','19b76dd01f92d52f0232d255.1',70000,NULL,NULL,NULL,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.07","table":"c4a92fcfe1d1","why":""}',1767225754105);
INSERT INTO "transfer" VALUES('19b76dd01f92d52f0232d255.1:post','post','19b76dd01f92d52f0232d255.1:hold','project:film','provider:listing','19b76dd01f92d52f0232d255.1',70000,NULL,NULL,NULL,'reported','{"amount_usd":"0.07","lines":[{"high":"1","low":"1","rate_usd":"0.07","row":"listing/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225776183);
INSERT INTO "transfer" VALUES('19b76dd589bdfe4b374bb560.1:hold','pending',NULL,'project:film','provider:replaying','19b76dd589bdfe4b374bb560.1',60000,NULL,NULL,NULL,'quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.06","table":"c4a92fcfe1d1","why":""}',1767225776283);
INSERT INTO "transfer" VALUES('19b76dd589bdfe4b374bb560.1:post','post','19b76dd589bdfe4b374bb560.1:hold','project:film','provider:replaying','19b76dd589bdfe4b374bb560.1',60000,NULL,NULL,NULL,'reported','{"amount_usd":"0.06","lines":[{"high":"1","low":"1","rate_usd":"0.06","row":"replaying/cheap/image@2025-01-01","unit":"image"}],"source":"reported","table":"c4a92fcfe1d1","unpriced":false}',1767225798360);
INSERT INTO "transfer" VALUES('19b76ddaf3cd77bd57dd6c49.1:hold','pending',NULL,'project:film','provider:memory','19b76ddaf3cd77bd57dd6c49.1',40000,'credit:memory',4000000,'0.01','quote','{"as_of":"2025-01-01","basis":"exact","high_usd":"0.04","lines":[{"high":"1","low":"1","rate_usd":"0.04","row":"memory/cheap/image@2025-01-01","unit":"image"}],"low_usd":"0.04","table":"c4a92fcfe1d1","why":""}',1767225798460);
CREATE TABLE verdict (
	id TEXT NOT NULL,
	at INTEGER NOT NULL,
	project TEXT NOT NULL,
	role TEXT NOT NULL,
	task TEXT NOT NULL,
	kind TEXT NOT NULL,
	job TEXT NOT NULL,
	model TEXT NOT NULL,
	against TEXT,
	PRIMARY KEY (id),
	CONSTRAINT known_verdict CHECK (kind IN ('pick', 'up', 'down')),
	FOREIGN KEY(job) REFERENCES job (id)
)
 STRICT

;
INSERT INTO "verdict" VALUES('pick:19b76daa8008d43d0e19aa54:19b76dafe3d5250da9b4accf',1767225798460,'project:film','text-to-image','text-to-image','pick','19b76dafe3d5250da9b4accf','memory-second','memory-cheap');
INSERT INTO "verdict" VALUES('thumb:19b76db547b8b5a60b106376',1767225798460,'project:film','hero','text-to-image','down','19b76db547b8b5a60b106376','memory-cheap',NULL);
CREATE TRIGGER credit_rate_no_update BEFORE UPDATE ON credit_rate BEGIN SELECT RAISE(ABORT, 'credit_rate rows are immutable'); END;
CREATE TRIGGER credit_rate_no_delete BEFORE DELETE ON credit_rate BEGIN SELECT RAISE(ABORT, 'credit_rate rows are immutable'); END;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'event rows are immutable'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'event rows are immutable'); END;
CREATE INDEX inbox_by_remote_job ON inbox (source, remote_id);
CREATE INDEX inbox_by_attempt ON inbox (attempt);
CREATE INDEX inbox_waiting ON inbox (seq) WHERE handled_at IS NULL;
CREATE UNIQUE INDEX one_live ON attempt (job) WHERE state NOT IN ('stored', 'failed', 'refused', 'canceled', 'lost');
CREATE INDEX attempt_by_state ON attempt (state);
CREATE INDEX attempt_by_end ON attempt (finished_at);
CREATE INDEX verdict_by_time ON verdict (at);
CREATE INDEX transfer_by_attempt ON transfer (attempt);
CREATE UNIQUE INDEX one_resolution ON transfer (pending_id) WHERE kind IN ('post', 'void');
CREATE TRIGGER transfer_no_update BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer rows are immutable'); END;
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'transfer rows are immutable'); END;
COMMIT;
