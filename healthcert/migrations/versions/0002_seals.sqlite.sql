CREATE TABLE audit_leaf (
  position BIGINT NOT NULL,
  event_id CHAR(32) NOT NULL,
  hash BLOB NOT NULL,
  CONSTRAINT pk_audit_leaf PRIMARY KEY (position),
  CONSTRAINT ck_audit_leaf_position CHECK (position >= 0),
  CONSTRAINT ck_audit_leaf_hash CHECK (length(hash) = 32),
  CONSTRAINT uq_audit_leaf_event_id UNIQUE (event_id),
  CONSTRAINT ck_audit_leaf_position_type CHECK (typeof(position) IN ('integer', 'null')),
  CONSTRAINT ck_audit_leaf_event_id_type CHECK (length(event_id) = 32 AND event_id NOT GLOB '*[^0-9a-f]*')
);

CREATE TABLE tree_head (
  size BIGINT NOT NULL,
  sealed_at DATETIME NOT NULL,
  root BLOB NOT NULL,
  edge BLOB NOT NULL,
  note VARCHAR NOT NULL,
  CONSTRAINT pk_tree_head PRIMARY KEY (size),
  CONSTRAINT ck_tree_head_size CHECK (size > 0),
  CONSTRAINT ck_tree_head_root CHECK (length(root) = 32),
  CONSTRAINT ck_tree_head_size_type CHECK (typeof(size) IN ('integer', 'null')),
  CONSTRAINT ck_tree_head_sealed_at_type CHECK (datetime(sealed_at, '+0 days') IS substr(sealed_at, 1, 19) AND substr(sealed_at, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]')
);

-- down
DROP TABLE tree_head;
DROP TABLE audit_leaf;
