"""Handwritten digits: trains on most of scikit-learn's own data set when it is loaded, and keeps the rest to be asked about.

    python digits.py        prints the held-out images and their labels as JSON
"""

import json
import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

images, labels = load_digits(return_X_y=True)
train_images, held_out_images, train_labels, held_out_labels = train_test_split(
    images, labels, test_size=0.2, random_state=7, stratify=labels
)
classifier = SVC(gamma=0.001).fit(train_images, train_labels)


def predict(inputs):
    """Takes a list of images of 64 pixels each, returns as many digits as text."""
    return [str(digit) for digit in classifier.predict(inputs)]


if __name__ == "__main__":
    json.dump({"images": held_out_images.tolist(), "labels": held_out_labels.tolist()}, sys.stdout)
