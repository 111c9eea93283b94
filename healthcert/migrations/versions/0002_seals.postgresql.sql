CREATE TABLE audit_leaf (
  position BIGINT NOT NULL,
  event_id UUID NOT NULL,
  hash BYTEA NOT NULL,
  CONSTRAINT pk_audit_leaf PRIMARY KEY (position),
  CONSTRAINT ck_audit_leaf_position CHECK (position >= 0),
  CONSTRAINT ck_audit_leaf_hash CHECK (length(hash) = 32),
  CONSTRAINT uq_audit_leaf_event_id UNIQUE (event_id)
);

CREATE TABLE tree_head (
  size BIGINT NOT NULL,
  sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  root BYTEA NOT NULL,
  edge BYTEA NOT NULL,
  note VARCHAR NOT NULL,
  CONSTRAINT pk_tree_head PRIMARY KEY (size),
  CONSTRAINT ck_tree_head_size CHECK (size > 0),
  CONSTRAINT ck_tree_head_root CHECK (length(root) = 32)
);

-- down
DROP TABLE tree_head;
DROP TABLE audit_leaf;
