"""The log on Kafka: a broker of our own, topics, the relay that fills them and the feed that reads them."""
