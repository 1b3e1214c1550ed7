# The app on a CPU, as a user without rights; all it writes is under /data. See docs/room.md.
#   docker build --build-arg CPU_WHEELS=... -t fashion-mnist-studio .
FROM python:3.13-slim

# The index of PyTorch's CPU wheels, see requirements-cpu.txt.
ARG CPU_WHEELS
WORKDIR /app
COPY requirements.txt requirements-cpu.txt ./
RUN pip install --no-cache-dir -r requirements-cpu.txt

COPY app.py serve.py ./
COPY .streamlit .streamlit
COPY fmnist fmnist
COPY pages pages
COPY weights weights

RUN useradd --uid 1000 --no-create-home studio && install -d -o studio /data
ENV FMNIST_CACHE=/data/cache FMNIST_RUNS=/data/runs FMNIST_WEIGHTS=/data/weights \
    FMNIST_DATA=/data HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER studio
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health')"]
CMD ["sh", "-c", "python -m fmnist data; exec streamlit run serve.py --server.address 0.0.0.0 --server.port 8501 --server.headless true"]
