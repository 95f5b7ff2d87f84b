# `crypto-assets ui` in a container, as a user of its own; its home is the volume /var/lib/crypto-assets.
# docs/aws.md says how it is run. The Python is that of the tests and of jobs on EMR Serverless.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 SOURCE_DATE_EPOCH=315532800
RUN python -m venv /opt/crypto-assets
WORKDIR /source
COPY crypto_assets/product.lock crypto_assets/
RUN /opt/crypto-assets/bin/pip install --no-deps --require-hashes -r crypto_assets/product.lock
COPY . .
RUN pip install "$(sed -n 's/^\(hatchling==[^ ]*\).*/\1/p' requirements.lock)" \
    && hatchling build --target wheel --directory /wheel \
    && /opt/crypto-assets/bin/pip install --no-deps /wheel/*.whl

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 900 --home-dir /var/lib/crypto-assets crypto-assets \
    && install -d -o crypto-assets -m 700 /var/lib/crypto-assets
COPY --from=build /opt/crypto-assets /opt/crypto-assets
# A published port is another machine's to this one: the name under which people ask is needed.
ENV PATH=/opt/crypto-assets/bin:$PATH \
    CRYPTO_ASSETS_HOME=/var/lib/crypto-assets \
    CRYPTO_ASSETS_UI_HOSTS=localhost
USER 900
WORKDIR /var/lib/crypto-assets
VOLUME /var/lib/crypto-assets
EXPOSE 3000
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:3000/server_info', timeout=9)"]
ENTRYPOINT ["crypto-assets"]
CMD ["ui", "--host", "0.0.0.0"]
