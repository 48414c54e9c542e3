-- Files in a bucket. Conventions as in 0001_messenger.sql.

-- place: where a whole file is. 0: on the disk, 1: on the disk and to go into the bucket, 2: in the bucket, and its copy on the disk is
-- to go, 3: in the bucket. bucket_upload: an upload in parts that has begun there, so that its parts can be dropped.
ALTER TABLE media_file ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
ALTER TABLE media_file ADD COLUMN bucket_upload TEXT NOT NULL DEFAULT '';

CREATE INDEX media_file_moving ON media_file (account_id, file_id) WHERE place > 0 AND place < 3;
