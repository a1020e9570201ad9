# The product for production: three kinds of container from one image (web, worker, beat), and the migrations.
# Build: docker build -t exit-approvals .

FROM node:22-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM python:3.12-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/base.txt .
RUN /venv/bin/python -m pip install --require-hashes --no-deps -r base.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    DATA_DIR=/data \
    STATIC_ROOT=/srv/static \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_PORT=8000
RUN useradd --system --uid 10001 --home-dir /data --create-home product \
    && mkdir /srv/static && chown product /srv/static
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
COPY --from=assets /build/node_modules/@tabler/core/dist/css/tabler.min.css \
    /build/node_modules/@tabler/core/dist/css/tabler.min.css.map \
    /build/node_modules/@tabler/core/dist/js/tabler.min.js \
    /build/node_modules/@tabler/core/dist/js/tabler.min.js.map \
    static/vendor/tabler/
COPY --from=assets /build/node_modules/@expo-google-fonts/noto-sans-sc/400Regular/*.ttf \
    /build/node_modules/@expo-google-fonts/noto-sans-sc/700Bold/*.ttf \
    /build/node_modules/@expo-google-fonts/noto-sans-sc/LICENSE_FONT \
    /build/node_modules/@expo-google-fonts/noto-sans-kr/400Regular/*.ttf \
    /build/node_modules/@expo-google-fonts/noto-sans-thai/400Regular/*.ttf \
    /build/node_modules/@expo-google-fonts/noto-emoji/400Regular/*.ttf \
    documents/fonts/
# Settings want to be told where everything is; nothing of it is used or kept here. Root compiles the messages beside
# their sources; the product itself may write to /data only.
RUN export DATABASE_URL=postgres://nobody@localhost/none REDIS_URL=redis://localhost/0 PUBLIC_URL=https://localhost \
    SECRET_KEY=build AUDIT_SIGNING_KEY=build PAPER_CERTIFICATE=build CLEARANCE_KEY_SECRET=build ALLOWED_HOSTS=localhost EMAIL_URL=consolemail:// \
    && python manage.py messages --compile \
    && python manage.py collectstatic --noinput
USER product
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--workers-kill-timeout", "5", "--respawn-failed-workers", "config.wsgi:application"]
