-- SPDX-License-Identifier: Apache-2.0
-- weir.db: keys that an operator has switched off.

-- Only an operator may switch such a key on again; its owner may do with one that they switched
-- off themselves as they like.
ALTER TABLE keys ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
