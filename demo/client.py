"""A client in Python: lists the orders and asks for one that is not there, over one kept-alive HTTPS connection.

python3 client.py https://localhost:PORT [seconds]
"""

import http.client
import ssl
import sys
import time
from urllib.parse import urlsplit

base = urlsplit(sys.argv[1])
end = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 10)
# The sample's certificate is made at each start; a real program verifies.
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection(base.hostname, base.port, context=context, timeout=5)
try:
    while time.monotonic() < end:
        for path in ("/orders", "/orders/404"):
            connection.request("GET", path, headers={"X-Api-Key": "k-0123456789"})
            connection.getresponse().read()
        time.sleep(0.6)
except (ConnectionError, http.client.HTTPException):
    pass  # the service has gone
connection.close()
