namespace bitwright::worker::cuda {}
