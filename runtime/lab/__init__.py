"""Training runs under stress: is the model wrong, or is the computation unstable?

One run takes a `configuration.Configuration` and yields a `record.Run`: what was logged for
each epoch, the phases of training, the signatures of failure, and the condition of the
problem. Which runs are made, and what is concluded from several, is the host's business.
"""
