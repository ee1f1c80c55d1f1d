-- SPDX-License-Identifier: Apache-2.0
-- One app's rows, newest first, out of everybody's: the portal's list of requests.
CREATE INDEX requests_app ON requests (app) WHERE app <> '';
